//! One instance through all that can be done to it.

use std::path::Path;
use std::time::Instant;

use crate::outside::{Outside, UP, must};

#[test]
fn what_was_killed_comes_up_again_with_its_data_and_down_leaves_nothing() {
    let instance = Outside::new("/var/lib/opsmesh-lifecycle", "opsmesh-lifecycle");
    let remember = |what: &str| {
        must(instance.kubectl(&["create", "configmap", "memory", &format!("--from-literal=it={what}")]));
    };
    let remembered = || must(instance.kubectl(&["get", "configmap", "memory", "-o", "jsonpath={.data.it}"]));

    instance.x(&["down", "--purge"]);
    must(instance.x(UP));
    remember("first");

    let began = Instant::now();
    let second = must(instance.x(UP));
    assert!(!second.contains("started"), "a second run starts nothing:\n{second}");
    println!("a second run: {:?}", began.elapsed());

    let killed = instance.kill_everything();
    assert!(killed > 20, "only {killed} processes were there to be killed");
    must(instance.x(UP));
    must(instance.x(&["status"]));
    assert_eq!(remembered(), "first", "after a kill of everything");

    must(instance.x(&["down"]));
    assert_eq!(instance.left(), Vec::<String>::new());
    must(instance.x(&["leftovers"]));

    let began = Instant::now();
    must(instance.x(UP));
    println!("up after down: {:?}", began.elapsed());
    assert_eq!(remembered(), "first", "after a plain down");

    must(instance.x(&["down", "--purge"]));
    assert_eq!(instance.left(), Vec::<String>::new());
    assert!(!Path::new(&instance.home).exists(), "--purge leaves no data");
}
