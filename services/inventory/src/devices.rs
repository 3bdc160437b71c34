//! The records of devices. Each change is a function of a transaction that a door began and will commit.
use std::collections::BTreeMap;

use chassis::{Agency, Column, Filter, Kind, Tx};
use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use sqlx::{QueryBuilder, types::Json};

use crate::{
    device::{Changes, Description, Device, DeviceClass, DeviceId, Fact, Refusal},
    wire,
};

/// The columns of a device, by name: with `*` a later version's new column would change what a prepared statement gives, and it fails.
macro_rules! columns {
    () => {
        "agency, id, display_name, class, address, site, labels, state, created_at, updated_at, revision"
    };
}

/// What a filter may ask of devices.
pub const COLUMNS: &[Column] = &[
    Column { field: "device_class", sql: "class::text", kind: Kind::Words(DeviceClass::WORDS) },
    Column { field: "display_name", sql: "display_name", kind: Kind::Text },
    Column { field: "address", sql: "address", kind: Kind::Text },
    Column { field: "site", sql: "site", kind: Kind::Text },
    Column { field: "create_time", sql: "created_at", kind: Kind::Moment },
    Column { field: "update_time", sql: "updated_at", kind: Kind::Moment },
];

/// Why a device cannot be had or changed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is none.
    #[error("there is no device {0}")]
    NotFound(DeviceId),
    /// There is another of that id.
    #[error("there is already a device {0}")]
    Exists(DeviceId),
    /// The device says no.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The database failed.
    #[error("the device ledger failed")]
    Store(#[from] sqlx::Error),
}

/// Which devices are meant: those that match every part that is given.
#[derive(Debug, Clone, Default)]
pub struct Selector {
    /// Any of these; none given: every class.
    pub classes: Vec<DeviceClass>,
    /// Any of these; none given: every site.
    pub sites: Vec<String>,
    /// All of these.
    pub labels: BTreeMap<String, String>,
    /// Retired ones too.
    pub retired: bool,
}

/// Enters a device.
pub async fn create(
    tx: &mut Tx,
    agency: &Agency,
    id: DeviceId,
    description: Description,
    now: Timestamp,
) -> Result<Device, Error> {
    let (device, fact) = Device::create(agency.clone(), id.clone(), description, now);
    if !save(tx, &device, fact).await? {
        return Err(Error::Exists(id));
    }
    Ok(device)
}

/// Says something else of a device.
pub async fn describe(
    tx: &mut Tx,
    agency: &Agency,
    id: &DeviceId,
    changes: Changes,
    expected: Option<i64>,
    now: Timestamp,
) -> Result<Device, Error> {
    let mut device = lock(tx, agency, id).await?;
    if let Some(fact) = device.describe(changes, expected, now)? {
        save(tx, &device, fact).await?;
    }
    Ok(device)
}

/// Takes a device out of service.
pub async fn retire(tx: &mut Tx, agency: &Agency, id: &DeviceId, expected: Option<i64>, now: Timestamp) -> Result<Device, Error> {
    let mut device = lock(tx, agency, id).await?;
    if let Some(fact) = device.retire(expected, now)? {
        save(tx, &device, fact).await?;
    }
    Ok(device)
}

/// One device.
pub async fn get(tx: &mut Tx, agency: &Agency, id: &DeviceId) -> Result<Device, Error> {
    sqlx::query_as(concat!("SELECT ", columns!(), " FROM devices WHERE agency = $1 AND id = $2"))
        .bind(agency)
        .bind(id)
        .fetch_optional(&mut **tx)
        .await?
        .ok_or_else(|| Error::NotFound(id.clone()))
}

/// The devices that match selector and filter, by id, after the id `after`.
pub async fn list(
    tx: &mut Tx,
    agency: &Agency,
    selector: &Selector,
    filter: &Filter,
    after: Option<&str>,
    limit: i64,
) -> Result<Vec<Device>, Error> {
    let mut query = QueryBuilder::new(concat!("SELECT ", columns!(), " FROM devices WHERE agency = "));
    query.push_bind(agency);
    query.push(" AND id > ").push_bind(after.unwrap_or(""));
    if !selector.classes.is_empty() {
        query.push(" AND class = ANY(").push_bind(&selector.classes).push(")");
    }
    if !selector.sites.is_empty() {
        query.push(" AND site = ANY(").push_bind(&selector.sites).push(")");
    }
    if !selector.labels.is_empty() {
        query.push(" AND labels @> ").push_bind(Json(&selector.labels));
    }
    if !selector.retired {
        query.push(" AND state = 'in_service'");
    }
    filter.push(&mut query);
    query.push(" ORDER BY id LIMIT ").push_bind(limit);
    Ok(query.build_query_as().fetch_all(&mut **tx).await?)
}

async fn lock(tx: &mut Tx, agency: &Agency, id: &DeviceId) -> Result<Device, Error> {
    sqlx::query_as(concat!("SELECT ", columns!(), " FROM devices WHERE agency = $1 AND id = $2 FOR UPDATE"))
        .bind(agency)
        .bind(id)
        .fetch_optional(&mut **tx)
        .await?
        .ok_or_else(|| Error::NotFound(id.clone()))
}

/// The one way a device reaches its table, and its news the facts. False: its place is taken.
async fn save(tx: &mut Tx, device: &Device, fact: Fact) -> sqlx::Result<bool> {
    let Device { agency, id, display_name, class, address, site, labels, state, created_at, updated_at, revision } = device;
    let saved = sqlx::query(
        "INSERT INTO devices (agency, id, display_name, class, address, site, labels, state, created_at, updated_at, revision)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
         ON CONFLICT (agency, id) DO UPDATE SET
             display_name = excluded.display_name, class = excluded.class, address = excluded.address, site = excluded.site,
             labels = excluded.labels, state = excluded.state, updated_at = excluded.updated_at, revision = excluded.revision
         WHERE devices.revision = excluded.revision - 1",
    )
    .bind(agency)
    .bind(id)
    .bind(display_name)
    .bind(class)
    .bind(address)
    .bind(site)
    .bind(labels)
    .bind(state)
    .bind(created_at.to_sqlx())
    .bind(updated_at.to_sqlx())
    .bind(revision)
    .execute(&mut **tx)
    .await?
    .rows_affected()
        == 1;
    if saved {
        mailbox::post(tx, wire::letter(device, fact), device.updated_at).await?;
    }
    Ok(saved)
}
