//! The rules of a device. No I/O here, and no clock: time is an argument.
use std::{collections::BTreeMap, fmt, str::FromStr};

use chassis::Agency;
use jiff::Timestamp;
use sqlx::types::Json;

/// The id of a device within its agency, chosen by whoever enters it: 1 to 63 lower-case letters, digits and hyphens.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, sqlx::Type)]
#[sqlx(transparent)]
pub struct DeviceId(String);

/// A text that is no device's id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a device's id is 1 to 63 lower-case letters, digits and hyphens, beginning with a letter or digit")]
pub struct NotADeviceId;

impl FromStr for DeviceId {
    type Err = NotADeviceId;

    fn from_str(text: &str) -> Result<Self, NotADeviceId> {
        let fits = |(at, byte): (usize, u8)| matches!(byte, b'a'..=b'z' | b'0'..=b'9') || (at > 0 && byte == b'-');
        if (1..=63).contains(&text.len()) && text.bytes().enumerate().all(fits) {
            Ok(Self(text.to_owned()))
        } else {
            Err(NotADeviceId)
        }
    }
}

impl fmt::Display for DeviceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A class of devices (catalogue: device_classes).
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::Type)]
#[sqlx(type_name = "device_class", rename_all = "snake_case")]
#[expect(missing_docs, reason = "the words are the catalogue's")]
pub enum DeviceClass {
    Server,
    Storage,
    NetworkSwitch,
    NetworkRouter,
    Firewall,
    Wireless,
    Desktop,
    Printer,
    Ups,
    PowerDistribution,
    PrecisionAc,
    FireProtection,
    EnvironmentMonitoring,
    EquipmentRoom,
    Cabling,
    ConferenceAv,
    Software,
}

impl DeviceClass {
    /// The words of all of them, as the table and filters have them.
    pub const WORDS: &[&str] = &[
        "server",
        "storage",
        "network_switch",
        "network_router",
        "firewall",
        "wireless",
        "desktop",
        "printer",
        "ups",
        "power_distribution",
        "precision_ac",
        "fire_protection",
        "environment_monitoring",
        "equipment_room",
        "cabling",
        "conference_av",
        "software",
    ];
}

/// Where a device is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::Type)]
#[sqlx(type_name = "device_state", rename_all = "snake_case")]
pub enum State {
    /// 在用
    InService,
    /// 停用
    Retired,
}

/// What people say of a device and may change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Description {
    /// What people call it.
    pub display_name: String,
    /// What kind of device it is.
    pub class: DeviceClass,
    /// Where probes reach it.
    pub address: String,
    /// Where it stands.
    pub site: String,
    /// Free words for selection.
    pub labels: BTreeMap<String, String>,
}

/// What somebody now says otherwise; what is `None` stays.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields are those of a description")]
pub struct Changes {
    pub display_name: Option<String>,
    pub class: Option<DeviceClass>,
    pub address: Option<String>,
    pub site: Option<String>,
    pub labels: Option<BTreeMap<String, String>>,
}

/// A device, exactly as its row has it.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Device {
    /// Whose it is.
    pub agency: Agency,
    /// Its id there.
    pub id: DeviceId,
    /// What people call it.
    pub display_name: String,
    /// What kind of device it is.
    pub class: DeviceClass,
    /// Where probes reach it.
    pub address: String,
    /// Where it stands.
    pub site: String,
    /// Free words for selection.
    pub labels: Json<BTreeMap<String, String>>,
    /// Where it is in its life.
    pub state: State,
    /// When it entered the ledger.
    #[sqlx(try_from = "jiff_sqlx::Timestamp")]
    pub created_at: Timestamp,
    /// When it last changed.
    #[sqlx(try_from = "jiff_sqlx::Timestamp")]
    pub updated_at: Timestamp,
    /// Raised by every change.
    pub revision: i64,
}

/// What just became true of a device. Saving one demands it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Fact {
    /// It entered the ledger.
    Created,
    /// What is known of it changed.
    Updated,
    /// It left service.
    Retired,
}

/// Why a device does not change.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// It is retired.
    #[error("device {0} is retired")]
    Retired(DeviceId),
    /// Somebody else changed it in between.
    #[error("device {0} has changed since that etag was read")]
    Changed(DeviceId),
}

impl Device {
    /// A device enters the ledger.
    pub fn create(agency: Agency, id: DeviceId, description: Description, now: Timestamp) -> (Self, Fact) {
        let Description { display_name, class, address, site, labels } = description;
        let device = Self {
            agency,
            id,
            display_name,
            class,
            address,
            site,
            labels: Json(labels),
            state: State::InService,
            created_at: now,
            updated_at: now,
            revision: 1,
        };
        (device, Fact::Created)
    }

    /// Says something else of it. `None`: it says so already.
    pub fn describe(&mut self, changes: Changes, expected: Option<i64>, now: Timestamp) -> Result<Option<Fact>, Refusal> {
        if expected.is_some_and(|revision| revision != self.revision) {
            return Err(Refusal::Changed(self.id.clone()));
        }
        if self.state == State::Retired {
            return Err(Refusal::Retired(self.id.clone()));
        }
        let before = self.clone();
        let Changes { display_name, class, address, site, labels } = changes;
        self.display_name = display_name.unwrap_or_else(|| before.display_name.clone());
        self.class = class.unwrap_or(before.class);
        self.address = address.unwrap_or_else(|| before.address.clone());
        self.site = site.unwrap_or_else(|| before.site.clone());
        self.labels = labels.map_or_else(|| before.labels.clone(), Json);
        if *self == before {
            return Ok(None);
        }
        self.touch(now);
        Ok(Some(Fact::Updated))
    }

    /// Takes it out of service. `None`: it is already.
    pub fn retire(&mut self, expected: Option<i64>, now: Timestamp) -> Result<Option<Fact>, Refusal> {
        if expected.is_some_and(|revision| revision != self.revision) {
            return Err(Refusal::Changed(self.id.clone()));
        }
        match self.state {
            State::Retired => Ok(None),
            State::InService => {
                self.state = State::Retired;
                self.touch(now);
                Ok(Some(Fact::Retired))
            }
        }
    }

    fn touch(&mut self, now: Timestamp) {
        self.updated_at = now;
        self.revision += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn device() -> Device {
        let description = Description {
            display_name: "门户网站".into(),
            class: DeviceClass::Server,
            address: "10.0.0.7".into(),
            site: "a1".into(),
            labels: BTreeMap::new(),
        };
        Device::create("gz".parse().unwrap(), "web-01".parse().unwrap(), description, Timestamp::UNIX_EPOCH).0
    }

    #[test]
    fn an_id_is_a_dns_label() {
        for wrong in ["", "-a", "Web", "a_b", "网", &"a".repeat(64)] {
            assert_eq!(wrong.parse::<DeviceId>(), Err(NotADeviceId), "{wrong}");
        }
    }

    #[test]
    fn saying_what_is_already_said_changes_nothing() {
        let mut device = device();
        let before = device.clone();
        let same = Changes { site: Some(device.site.clone()), ..Changes::default() };
        assert_eq!(device.describe(same, None, Timestamp::MAX), Ok(None));
        assert_eq!(device, before);
    }

    #[test]
    fn a_change_since_the_etag_was_read_is_refused() {
        let mut device = device();
        let moved = Changes { site: Some("b2".into()), ..Changes::default() };
        assert_eq!(device.describe(moved.clone(), Some(7), Timestamp::MAX), Err(Refusal::Changed(device.id.clone())));
        assert_eq!(device.describe(moved, Some(1), Timestamp::MAX), Ok(Some(Fact::Updated)));
        assert_eq!((device.revision, device.site.as_str()), (2, "b2"));
    }

    #[test]
    fn a_retired_device_stays_as_it_is() {
        let mut device = device();
        assert_eq!(device.retire(Some(9), Timestamp::MAX), Err(Refusal::Changed(device.id.clone())));
        assert_eq!(device.retire(None, Timestamp::MAX), Ok(Some(Fact::Retired)));
        assert_eq!(device.retire(None, Timestamp::MAX), Ok(None));
        let moved = Changes { site: Some("b2".into()), ..Changes::default() };
        assert_eq!(device.describe(moved, None, Timestamp::MAX), Err(Refusal::Retired(device.id.clone())));
    }
}
