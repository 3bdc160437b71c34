//! Ports that tests start their servers on.
use std::collections::BTreeSet;

use tests::Port;

#[test]
fn nobody_gets_a_port_that_another_has_though_nobody_listens_on_it() {
    let asked = std::thread::scope(|scope| {
        let asking: Vec<_> = (0..16).map(|_| scope.spawn(|| [(); 8].map(|()| Port::claim()))).collect();
        asking.into_iter().flat_map(|asking| asking.join().unwrap()).collect::<Vec<_>>()
    });
    let numbers: BTreeSet<_> = asked.iter().map(Port::number).collect();
    assert_eq!(numbers.len(), asked.len());
}

#[test]
fn whoever_is_done_gives_its_port_back() {
    // More than there are.
    for _ in 0..=11_000 {
        drop(Port::claim());
    }
}
