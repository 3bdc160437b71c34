//! The ledger: a device is entered once, found by what is known of it, changed by those who may, and never forgotten.
use chassis::Scope;
use prost::Message;
use proto::inventory::v1 as pb;
use tests::wrong_field;
use tonic::Code;
use tonic_types::StatusExt;

use crate::store::{AGENCY, Store, entry, request_id, which};

fn ids(list: &pb::ListDevicesResponse) -> Vec<&str> {
    list.devices.iter().map(|device| device.name.rsplit('/').next().unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_is_entered_once_and_its_id_is_taken() {
    let store = Store::open().await;
    let mut engineer = store.person("engineer").await;
    let request = entry("web-01", "a1");
    let device = engineer.create_device(request.clone()).await.unwrap().into_inner();
    assert_eq!((device.name.as_str(), device.state()), ("agencies/gz/devices/web-01", pb::DeviceState::InService));
    assert_eq!(engineer.create_device(request).await.unwrap().into_inner(), device, "the same request has the same answer");
    let refused = engineer.create_device(entry("web-01", "b2")).await.unwrap_err();
    assert_eq!(refused.code(), Code::AlreadyExists);
    assert_eq!(refused.get_details_error_info().unwrap().reason, "DEVICE_EXISTS");
    assert!(refused.get_details_localized_message().unwrap().message.contains("已存在"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_selector_matches_every_part_and_pages_lose_and_repeat_nothing() {
    let store = Store::open().await;
    let mut engineer = store.person("engineer").await;
    for number in 0..25 {
        let mut request = entry(&format!("d-{number:02}"), if number % 2 == 0 { "a1" } else { "b2" });
        let device = request.device.as_mut().unwrap();
        device.labels.insert("tier".into(), if number < 10 { "gold" } else { "plain" }.into());
        engineer.create_device(request).await.unwrap();
    }
    let gold = pb::DeviceSelector {
        device_classes: vec![pb::DeviceClass::Server.into()],
        sites: vec!["a1".into()],
        match_labels: [("service".to_owned(), "web".to_owned()), ("tier".to_owned(), "gold".to_owned())].into(),
    };
    let found = engineer.list_devices(which(gold.clone())).await.unwrap().into_inner();
    assert_eq!(ids(&found), ["d-00", "d-02", "d-04", "d-06", "d-08"]);
    let none = pb::DeviceSelector { device_classes: vec![pb::DeviceClass::Ups.into()], ..gold.clone() };
    assert!(engineer.list_devices(which(none)).await.unwrap().into_inner().devices.is_empty());

    let mut seen = Vec::new();
    let mut question = pb::ListDevicesRequest { page_size: 10, ..which(pb::DeviceSelector::default()) };
    loop {
        let page = engineer.list_devices(question.clone()).await.unwrap().into_inner();
        seen.extend(ids(&page).into_iter().map(str::to_owned));
        if page.next_page_token.is_empty() {
            break;
        }
        question.page_token = page.next_page_token;
    }
    assert_eq!(seen, (0..25).map(|number| format!("d-{number:02}")).collect::<Vec<_>>());
    // A token continues the question that it was given for, and no other.
    let first = pb::ListDevicesRequest { page_size: 10, ..which(pb::DeviceSelector::default()) };
    let token = engineer.list_devices(first).await.unwrap().into_inner().next_page_token;
    let other = pb::ListDevicesRequest { page_size: 10, page_token: token, ..which(gold) };
    let refused = engineer.list_devices(other).await.unwrap_err();
    assert_eq!(wrong_field(&refused), "page_token");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_names_its_fields_and_the_state_it_was_made_from() {
    let store = Store::open().await;
    let mut engineer = store.person("engineer").await;
    let device = engineer.create_device(entry("web-01", "a1")).await.unwrap().into_inner();
    let change = |site: &str, etag: &str, paths: &[&str]| pb::UpdateDeviceRequest {
        device: Some(pb::Device {
            name: device.name.clone(),
            site: site.into(),
            address: "http://10.0.0.7:80/".into(),
            etag: etag.into(),
            ..pb::Device::default()
        }),
        update_mask: Some(pbjson_types::FieldMask { paths: paths.iter().map(|path| (*path).to_owned()).collect() }),
        request_id: request_id(),
        ..Default::default()
    };
    let moved = engineer.update_device(change("b2", &device.etag, &["site"])).await.unwrap().into_inner();
    assert_eq!((moved.site.as_str(), moved.address.as_str()), ("b2", "10.0.0.7"));
    let refused = engineer.update_device(change("c3", &device.etag, &["site"])).await.unwrap_err();
    assert_eq!((refused.code(), refused.get_details_error_info().unwrap().reason.as_str()), (Code::Aborted, "DEVICE_CHANGED"));
    let field = async |paths: &[&str]| {
        let refused = store.person("engineer").await.update_device(change("c3", "", paths)).await.unwrap_err();
        wrong_field(&refused)
    };
    assert_eq!(field(&[]).await, "update_mask");
    assert_eq!(field(&["state"]).await, "update_mask");
    assert_eq!(field(&["address"]).await, "device.address");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_retired_device_stays_in_the_ledger_and_is_selected_no_more() {
    let store = Store::open().await;
    let mut engineer = store.person("engineer").await;
    let device = engineer.create_device(entry("web-01", "a1")).await.unwrap().into_inner();
    let retire = pb::RetireDeviceRequest { name: device.name.clone(), request_id: request_id(), ..Default::default() };
    engineer.retire_device(retire).await.unwrap();
    assert!(engineer.list_devices(which(pb::DeviceSelector::default())).await.unwrap().into_inner().devices.is_empty());
    let all = pb::ListDevicesRequest { show_retired: true, ..which(pb::DeviceSelector::default()) };
    assert_eq!(engineer.list_devices(all).await.unwrap().into_inner().devices[0].state(), pb::DeviceState::Retired);
    // Its timeline has both.
    let mut tx = store.records().begin(&Scope::reaction("test", &AGENCY.parse().unwrap())).await.unwrap();
    let kinds: Vec<String> = mailbox::timeline(&mut tx, &device.name).await.unwrap().into_iter().map(|fact| fact.kind).collect();
    assert_eq!(kinds, ["opsmesh.inventory.v1.DeviceCreated", "opsmesh.inventory.v1.DeviceRetired"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_not_keep_the_ledger_only_reads_it_and_other_agencies_do_not_even_that() {
    let store = Store::open().await;
    let device = store.person("engineer").await.create_device(entry("web-01", "a1")).await.unwrap().into_inner();
    let get = pb::GetDeviceRequest { name: device.name.clone() };
    for role in ["desk_agent", "auditor", "manager"] {
        let mut person = store.person(role).await;
        assert_eq!(person.get_device(get.clone()).await.unwrap().into_inner(), device, "{role}");
        let refused = person.create_device(entry("web-02", "a1")).await.unwrap_err();
        assert_eq!(refused.code(), Code::PermissionDenied, "{role}");
    }
    let refused = store.of_agency("engineer", "sz").await.get_device(get).await.unwrap_err();
    assert_eq!(refused.code(), Code::NotFound, "{refused:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_wrong_field_of_a_device_is_named() {
    let store = Store::open().await;
    let mut engineer = store.person("engineer").await;
    let device = |change: fn(&mut pb::Device)| {
        let mut request = entry("web-01", "a1");
        change(request.device.as_mut().unwrap());
        request
    };
    let cases = [
        ("device_id", entry("Web_01", "a1")),
        ("device_id", entry(&"a".repeat(64), "a1")),
        ("device", pb::CreateDeviceRequest { device: None, ..entry("web-01", "a1") }),
        ("device.display_name", device(|device| device.display_name = " ".into())),
        ("device.device_class", device(|device| device.device_class = 0)),
        ("device.address", device(|device| device.address = "10.0.0.7:80".into())),
        ("device.site", device(|device| device.site = "长".repeat(201))),
        ("device.labels", device(|device| device.labels = [("k".repeat(64), String::new())].into())),
    ];
    for (expected, request) in cases {
        let refused = engineer.create_device(request).await.unwrap_err();
        assert_eq!(refused.code(), Code::InvalidArgument, "{expected}");
        assert_eq!(wrong_field(&refused), expected);
    }
    assert!(engineer.list_devices(which(pb::DeviceSelector::default())).await.unwrap().into_inner().devices.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_is_not_utf8_is_refused_with_its_path() {
    let store = Store::open().await;
    let mut request = entry("web-01", "a1");
    request.device.as_mut().unwrap().display_name = "AAAA".into();
    let mut bytes = request.encode_to_vec();
    let at = bytes.windows(4).position(|window| window == b"AAAA").unwrap();
    bytes[at] = 0xff;
    let refused = store.send_bytes("CreateDevice", &bytes).await;
    assert_eq!(refused.code(), Code::InvalidArgument, "{refused:?}");
    assert_eq!(wrong_field(&refused), "device.display_name");
}
