//! With what is hashed and signed: SHA-256 and Ed25519, or the national algorithms (国密) SM3 and SM2, GM/T 0004 and GM/T 0003.
use ring::digest::{self, SHA256};
use sm3::{Digest, Sm3};

/// A hash of either suite: both have 32 bytes.
pub type Hash = [u8; 32];

/// What a seal is made with. Which one is in the name of its key, so that a service may change from one to the other and its older
/// seals go on holding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Suite {
    /// SHA-256 and Ed25519.
    International,
    /// SM3 and SM2.
    National,
}

/// What texts of the national suite begin with: keys and their names.
pub(super) const NATIONAL: &str = "sm2:";

impl Suite {
    /// The suite of the key that has this name.
    #[must_use]
    pub fn of_key(name: &str) -> Self {
        if name.starts_with(NATIONAL) { Self::National } else { Self::International }
    }

    /// The hash of some bytes.
    #[must_use]
    pub fn hash(self, bytes: &[u8]) -> Hash {
        let mut hasher = self.hasher();
        hasher.update(bytes);
        hasher.finish()
    }

    /// The root over leaves in their order (RFC 9162, 2.1.1): a node that has no neighbour rises as it is.
    #[must_use]
    pub fn root(self, leaves: &[Hash]) -> Hash {
        let mut level = leaves.to_vec();
        while level.len() > 1 {
            let node = |pair: &[Hash]| if let [left, right] = pair { self.node(left, right) } else { pair[0] };
            level = level.chunks(2).map(node).collect();
        }
        level.first().copied().unwrap_or_else(|| self.hash(&[]))
    }

    fn node(self, left: &Hash, right: &Hash) -> Hash {
        let mut hasher = self.hasher();
        for part in [&[1][..], left, right] {
            hasher.update(part);
        }
        hasher.finish()
    }

    pub(super) fn hasher(self) -> Hasher {
        match self {
            Self::International => Hasher::Sha256(digest::Context::new(&SHA256)),
            Self::National => Hasher::Sm3(Sm3::new()),
        }
    }
}

/// A hash in the making.
pub(super) enum Hasher {
    Sha256(digest::Context),
    Sm3(Sm3),
}

impl Hasher {
    pub(super) fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::Sha256(hash) => hash.update(bytes),
            Self::Sm3(hash) => Digest::update(hash, bytes),
        }
    }

    pub(super) fn finish(self) -> Hash {
        match self {
            Self::Sha256(hash) => hash.finish().as_ref().try_into().expect("SHA-256 has 32 bytes"),
            Self::Sm3(hash) => hash.finalize().into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_root_is_that_of_rfc_9162() {
        let leaf = |byte: u8| [byte; 32];
        for suite in [Suite::International, Suite::National] {
            assert_eq!(suite.root(&[leaf(1)]), leaf(1));
            let left = suite.node(&suite.node(&leaf(1), &leaf(2)), &suite.node(&leaf(3), &leaf(4)));
            assert_eq!(suite.root(&[leaf(1), leaf(2), leaf(3), leaf(4), leaf(5)]), suite.node(&left, &leaf(5)));
        }
        // SHA-256 of nothing.
        assert_eq!(hex::encode(Suite::International.root(&[]))[..16], *"e3b0c44298fc1c14");
    }

    #[test]
    fn sm3_is_that_of_gm_t_0004() {
        // Its first example.
        let abc = hex::encode(Suite::National.hash(b"abc"));
        assert_eq!(abc, "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0");
    }
}
