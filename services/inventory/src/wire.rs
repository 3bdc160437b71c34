//! Devices as protobuf has them. Nothing else in the crate translates.
use mailbox::Letter;
use proto::{Wire, inventory::v1 as pb, stamp};

use crate::device::{Device, DeviceClass, Fact, State};

proto::same_words!(
    DeviceClass = pb::DeviceClass {
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
);
proto::same_words!(State = pb::DeviceState { InService, Retired });

/// `agencies/{agency}/devices/{device}`.
pub(crate) fn name(device: &Device) -> String {
    format!("agencies/{}/devices/{}", device.agency, device.id)
}

impl From<Device> for pb::Device {
    fn from(device: Device) -> Self {
        let name = name(&device);
        let Device { agency: _, id: _, display_name, class, address, site, labels, state, created_at, updated_at, revision } =
            device;
        Self {
            name,
            display_name,
            device_class: class.to_wire(),
            address,
            site,
            labels: labels.0,
            state: state.to_wire(),
            create_time: Some(stamp(created_at)),
            update_time: Some(stamp(updated_at)),
            etag: revision.to_string(),
        }
    }
}

/// What is told when a device changes.
pub(crate) fn letter(device: &Device, fact: Fact) -> Letter {
    let (agency, subject) = (device.agency.clone(), name(device));
    let device = Some(device.clone().into());
    match fact {
        Fact::Created => Letter::about(&agency, subject, &pb::DeviceCreated { device }),
        Fact::Updated => Letter::about(&agency, subject, &pb::DeviceUpdated { device }),
        Fact::Retired => Letter::about(&agency, subject, &pb::DeviceRetired { device }),
    }
}
