//! THE LEDGER and the store: fields of devices, spares, consumables (7.3.4, 5.1.4).
//!
//! Sources: T/DGAG 038-2025, 7.3.4 (ledger), 5.1.4, 7.4.10 and 7.4.11 (spares, consumables); further fields, kinds, months
//! and rules of stock are ours, and marked so.
use serde::{Deserialize, Serialize};

use crate::{ClauseId, DeviceClass, Marked, Months, UnitCode, Words};

/// A field of the ledger that the standard demands (7.3.4.2).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Field {
    /// Its key.
    pub key: String,
    /// Its name.
    pub name: Words,
    /// Its type.
    pub r#type: Marked<String>,
}

/// A field that follows the device through its life (7.3.4.3).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FieldInLedger {
    /// Its key.
    pub key: String,
    /// Its name.
    pub name: Words,
}

/// A field that the product proposes (7.3.4; a product default).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SuggestedField {
    /// Its key.
    pub key: String,
    /// Its name.
    pub name: Words,
    /// Its type.
    pub r#type: Marked<String>,
    /// The values it can have.
    #[serde(default)]
    pub values: Option<Marked<Vec<String>>>,
}

/// A figure drawn from the ledger (7.3.4.5).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Figure {
    /// Its key.
    pub key: String,
    /// Its name.
    pub name: Words,
    /// Its unit.
    pub unit: Words,
    /// How it is computed.
    pub how: Words,
}

/// The file `data/ledger.yaml` (7.3.4).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ledger {
    /// The clause it belongs to.
    pub clause: ClauseId,
    /// The fields that the standard demands.
    pub mandatory: Vec<Field>,
    /// The fields that follow the device.
    pub dynamic: Vec<FieldInLedger>,
    /// The clause of the fields that follow the device.
    pub dynamic_clause: Marked<ClauseId>,
    /// The fields that the product proposes.
    pub suggested: Vec<SuggestedField>,
    /// The figures drawn from the ledger.
    pub analysis: Vec<Figure>,
    /// The clause that asks for the figures.
    pub analysis_clause: Marked<ClauseId>,
}

/// A kind of temporary spare (5.1.4, 7.4.10; the standard lists none).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Spare {
    /// Its key.
    pub key: String,
    /// Its name.
    pub name: Words,
    /// How long it may be stored.
    pub shelf_life_months: Marked<Months>,
    /// How often it is tested.
    pub test_months: Marked<Months>,
    /// It bears data.
    pub storage_bearing: Marked<bool>,
    /// The device class.
    pub device_class: DeviceClass,
}

/// A kind of consumable of low value (5.1.4, 7.4.11; the standard lists none).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Consumable {
    /// Its key.
    pub key: String,
    /// Its name.
    pub name: Words,
    /// How long it may be stored.
    pub shelf_life_months: Marked<Months>,
}

/// The file `data/spares.yaml` (5.1.4, 7.4.10, 7.4.11).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Spares {
    /// The clauses it belongs to.
    pub clauses: Marked<Vec<ClauseId>>,
    /// The spares.
    pub spares: Vec<Spare>,
    /// The consumables.
    pub consumables: Vec<Consumable>,
    /// The order of issue.
    pub issue_order: Marked<String>,
    /// The order of issue in words.
    pub issue_order_text: Marked<String>,
    /// The rule of issue.
    pub issue_rule: Marked<String>,
    /// The rule of issue in words.
    pub issue_rule_text: Marked<String>,
    /// How the rule of issue is read.
    pub issue_rule_note: Words,
    /// What is checked.
    pub checks: Vec<Words>,
    /// How the safety stock is computed.
    pub safety_stock_rule: Marked<String>,
    /// The unit of the safety stock.
    pub safety_stock_unit: Marked<UnitCode>,
    /// Where it is stored.
    pub storage_points: Vec<Words>,
}
