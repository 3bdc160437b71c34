//! What signs seals, and what verifies them.
use chassis::Secret;
use jiff::{Timestamp, civil::Date};
use ring::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
use sm2::dsa::{
    Signature, SigningKey, VerifyingKey,
    signature::{Signer, Verifier},
};

use super::{Disposal, Hash, Numbers, Seal, Sealed, Suite, suite::NATIONAL};

/// Who signs, as SM2 mixes it into what is signed: what everybody takes who has agreed on nothing else (GM/T 0009-2012, 10).
const SIGNER: &str = "1234567812345678";
/// A point of SM2's curve, not compressed: 4, then 32 bytes of each coordinate.
const POINT: usize = 65;

/// What signs.
pub struct SealKey(Keys);

enum Keys {
    Ed25519(Ed25519KeyPair),
    Sm2(Box<SigningKey>),
}

/// A text that is no key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotAKey {
    /// It does not sign.
    #[error("a key is 32 bytes in hexadecimal (`openssl rand -hex 32` makes one), for SM2 with `sm2:` before them")]
    Secret,
    /// It does not verify.
    #[error("a public key is 32 bytes in hexadecimal, for SM2 `sm2:04` and 64 bytes")]
    Public,
}

impl SealKey {
    /// The key of a seed: 64 hexadecimal digits for Ed25519; `sm2:` and 64 hexadecimal digits for SM2.
    pub fn of(seed: &Secret) -> Result<Self, NotAKey> {
        let text = seed.expose().trim();
        let (digits, national) = text.strip_prefix(NATIONAL).map_or((text, false), |digits| (digits, true));
        let seed: [u8; 32] = hex::decode(digits).ok().and_then(|seed| seed.try_into().ok()).ok_or(NotAKey::Secret)?;
        let keys = if national {
            // Neither zero nor as large as the order of the curve, which a seed is once in 2^32 times.
            Keys::Sm2(Box::new(SigningKey::from_slice(SIGNER, &seed).map_err(|_| NotAKey::Secret)?))
        } else {
            Keys::Ed25519(Ed25519KeyPair::from_seed_unchecked(&seed).map_err(|_| NotAKey::Secret)?)
        };
        Ok(Self(keys))
    }

    /// What verifies.
    #[must_use]
    pub fn public(&self) -> PublicKey {
        PublicKey(match &self.0 {
            Keys::Ed25519(pair) => Point::Ed25519(pair.public_key().as_ref().try_into().expect("an Ed25519 key has 32 bytes")),
            Keys::Sm2(key) => Point::Sm2(key.verifying_key().to_sec1_bytes()[..].try_into().expect("a point has 65 bytes")),
        })
    }

    /// With what facts are hashed that it seals.
    #[must_use]
    pub fn suite(&self) -> Suite {
        match &self.0 {
            Keys::Ed25519(_) => Suite::International,
            Keys::Sm2(_) => Suite::National,
        }
    }

    /// Seals facts, given by number and hash in the order of their numbers, after the seal `after`.
    #[must_use]
    pub fn seal(&self, service: &str, after: Option<&Seal>, bounds: Bounds, at: Timestamp, facts: &[(i64, Hash)]) -> Sealed {
        let leaves: Vec<Hash> = facts.iter().map(|(_, leaf)| *leaf).collect();
        let mut seal = Seal {
            number: after.map_or(1, |after| after.number + 1),
            service: service.to_owned(),
            at,
            facts: Numbers::of(facts.iter().map(|(number, _)| *number)),
            horizon: bounds.horizon,
            floor: bounds.floor,
            root: self.suite().root(&leaves),
            previous: after.map_or([0; 32], Seal::hash),
            key: self.public().id(),
            signature: Vec::new(),
        };
        seal.signature = self.sign(&seal.words());
        Sealed { seal, leaves }
    }

    /// The note that these facts of a month are dropped.
    #[must_use]
    pub fn dispose(&self, service: &str, month: Date, at: Timestamp, facts: Numbers) -> Disposal {
        let (service, key) = (service.to_owned(), self.public().id());
        let mut disposal = Disposal { service, month, at, facts, key, signature: Vec::new() };
        disposal.signature = self.sign(&disposal.words());
        disposal
    }

    fn sign(&self, words: &[u8]) -> Vec<u8> {
        match &self.0 {
            Keys::Ed25519(pair) => pair.sign(words).as_ref().to_vec(),
            // Without randomness (RFC 6979): nothing hangs on a generator.
            Keys::Sm2(key) => {
                let signature: Signature = key.sign(words);
                signature.to_bytes().to_vec()
            }
        }
    }
}

/// Up to where facts are sealed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// See [`Seal::horizon`].
    pub horizon: u64,
    /// See [`Seal::floor`].
    pub floor: i64,
}

/// What verifies: public, and needed by whoever does not take our word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PublicKey(Point);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Point {
    Ed25519([u8; 32]),
    Sm2([u8; POINT]),
}

impl PublicKey {
    /// The first 16 hexadecimal digits of its hash; with `sm2:` before them for SM2.
    #[must_use]
    pub fn id(&self) -> String {
        let (prefix, key) = self.parts();
        format!("{prefix}{}", hex::encode(&self.suite().hash(key)[..8]))
    }

    /// With what facts are hashed that are sealed with its secret.
    #[must_use]
    pub fn suite(&self) -> Suite {
        match self.0 {
            Point::Ed25519(_) => Suite::International,
            Point::Sm2(_) => Suite::National,
        }
    }

    /// Whether it signed this seal as it is.
    #[must_use]
    pub fn signed(&self, seal: &Seal) -> bool {
        seal.key == self.id() && self.holds(&seal.words(), &seal.signature)
    }

    /// Whether it signed that these facts were dropped.
    #[must_use]
    pub fn disposed(&self, disposal: &Disposal) -> bool {
        disposal.key == self.id() && self.holds(&disposal.words(), &disposal.signature)
    }

    fn holds(&self, words: &[u8], signature: &[u8]) -> bool {
        match &self.0 {
            Point::Ed25519(key) => UnparsedPublicKey::new(&ED25519, key).verify(words, signature).is_ok(),
            Point::Sm2(point) => VerifyingKey::from_sec1_bytes(SIGNER, point)
                .and_then(|key| key.verify(words, &Signature::from_slice(signature)?))
                .is_ok(),
        }
    }

    fn parts(&self) -> (&'static str, &[u8]) {
        match &self.0 {
            Point::Ed25519(key) => ("", key),
            Point::Sm2(point) => (NATIONAL, point),
        }
    }
}

impl std::fmt::Display for PublicKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (prefix, key) = self.parts();
        write!(f, "{prefix}{}", hex::encode(key))
    }
}

impl std::str::FromStr for PublicKey {
    type Err = NotAKey;

    fn from_str(text: &str) -> Result<Self, NotAKey> {
        let bytes = |digits: &str| hex::decode(digits).map_err(|_| NotAKey::Public);
        Ok(Self(match text.trim().strip_prefix(NATIONAL) {
            None => Point::Ed25519(bytes(text.trim())?.try_into().map_err(|_| NotAKey::Public)?),
            Some(digits) => {
                let point: [u8; POINT] = bytes(digits)?.try_into().map_err(|_| NotAKey::Public)?;
                VerifyingKey::from_sec1_bytes(SIGNER, &point).map_err(|_| NotAKey::Public)?;
                Point::Sm2(point)
            }
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ed25519_is_that_of_rfc_8032() {
        let seed = Secret::new("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60");
        let key = SealKey::of(&seed).unwrap();
        assert_eq!(key.public().to_string(), "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a");
    }

    #[test]
    fn sm2_is_that_of_gm_t_0003() {
        // The example of GM/T 0003.5 for the recommended curve: its key, and its signature of "message digest".
        let seed = Secret::new("sm2:3945208f7b2144b13f36e38ac6d39f95889393692860b51a42fb81ef4df7c5b8");
        let public = SealKey::of(&seed).unwrap().public();
        assert_eq!(
            public.to_string(),
            "sm2:0409f9df311e5421a150dd7d161e4bc5c672179fad1833fc076bb08ff356f35020ccea490ce26775a52dc6ea718cc1aa600aed05fbf35e084a6632f6072da9ad13"
        );
        let Point::Sm2(point) = public.0 else { panic!("{public}") };
        let signature = "f5a03b0648d2c4630eeac513e1bb81a15944da3827d5b74143ac7eaceee720b3b1b6aa29df212fd8763182bc0d421ca1bb9038fd1f7f42d4840b69c485bbc1aa";
        let signature = Signature::from_slice(&hex::decode(signature).unwrap()).unwrap();
        let key = VerifyingKey::from_sec1_bytes(SIGNER, &point).unwrap();
        assert!(key.verify(b"message digest", &signature).is_ok());
        assert!(key.verify(b"message digesT", &signature).is_err());
    }

    #[test]
    fn what_is_no_key_is_refused() {
        let zero = "0".repeat(64);
        for wrong in
            ["", "x", "9d61", &"z".repeat(64), "sm2:", &format!("sm2:{zero}"), &format!("sm2:{}", "f".repeat(64)), "sm3:11"]
        {
            assert!(matches!(SealKey::of(&Secret::new(wrong)), Err(NotAKey::Secret)), "{wrong}");
        }
        for wrong in ["", "9d61", &format!("sm2:{zero}"), &format!("sm2:04{zero}{zero}")] {
            assert_eq!(wrong.parse::<PublicKey>(), Err(NotAKey::Public), "{wrong}");
        }
        for seed in ["11", "sm2:11"] {
            let seed = Secret::new(format!("{seed}{}", "22".repeat(31)));
            let public = SealKey::of(&seed).unwrap().public();
            assert_eq!(public.to_string().parse(), Ok(public));
        }
    }

    #[test]
    fn a_seal_is_signed_in_every_part() {
        for prefix in ["", NATIONAL] {
            let key = |byte: &str| SealKey::of(&Secret::new(format!("{prefix}{}", byte.repeat(32)))).unwrap();
            let ours = key("11");
            let facts = [(1, [1; 32]), (3, [3; 32])];
            let seal = ours.seal("x", None, Bounds { horizon: 9, floor: 0 }, Timestamp::UNIX_EPOCH, &facts).seal;
            assert!(ours.public().signed(&seal));
            assert_eq!(Suite::of_key(&seal.key), ours.suite());
            let others = [
                Seal { number: 2, ..seal.clone() },
                Seal { service: "y".into(), ..seal.clone() },
                Seal { at: Timestamp::from_microsecond(1).unwrap(), ..seal.clone() },
                Seal { facts: Numbers::of([1, 2]), ..seal.clone() },
                Seal { horizon: 10, ..seal.clone() },
                Seal { floor: 1, ..seal.clone() },
                Seal { root: [0; 32], ..seal.clone() },
                Seal { previous: [1; 32], ..seal.clone() },
                Seal { key: "0".into(), ..seal.clone() },
                Seal { signature: vec![0; 64], ..seal.clone() },
                Seal { signature: Vec::new(), ..seal.clone() },
            ];
            for other in others {
                assert!(!ours.public().signed(&other), "{other:?}");
            }
            assert!(!key("22").public().signed(&seal));
        }
    }

    #[test]
    fn a_disposal_is_signed_in_every_part() {
        for prefix in ["", NATIONAL] {
            let key = |byte: &str| SealKey::of(&Secret::new(format!("{prefix}{}", byte.repeat(32)))).unwrap();
            let ours = key("11");
            let month = jiff::civil::date(2026, 5, 1);
            let disposal = ours.dispose("x", month, Timestamp::UNIX_EPOCH, Numbers::of([1, 2, 9]));
            assert!(ours.public().disposed(&disposal));
            let others = [
                Disposal { service: "y".into(), ..disposal.clone() },
                Disposal { month: jiff::civil::date(2026, 6, 1), ..disposal.clone() },
                Disposal { at: Timestamp::from_microsecond(1).unwrap(), ..disposal.clone() },
                Disposal { facts: Numbers::of([1, 2, 9, 10]), ..disposal.clone() },
                Disposal { key: "0".into(), ..disposal.clone() },
                Disposal { signature: vec![0; 64], ..disposal.clone() },
            ];
            for other in others {
                assert!(!ours.public().disposed(&other), "{other:?}");
            }
            assert!(!key("22").public().disposed(&disposal));
        }
    }
}
