//! Small cases whose times can be computed by hand.

use super::*;

const MIB: u64 = 1 << 20;

/// A machine that pulls 10 MiB/s, and images of 100, 200 and 300 MiB.
fn pulling(startup_delay: f64, cache_mib: u64) -> (Driven, [Work; 3]) {
    let mut images = Images::default();
    let work = [("a", 100), ("b", 200), ("c", 300)].map(|(name, mib)| images.add(name, mib * MIB));
    let options = HostOptions {
        startup_delay: secs(startup_delay),
        image_bandwidth: Some(10 * MIB),
        image_cache: cache_mib * MIB,
        ..HostOptions::default()
    };
    let made_from = |image| Profile { image: Some(image), ..Profile::default() };
    let mut task = 0;
    let work = work.map(|image| {
        task += 1;
        profiled(task - 1, 5.0, made_from(image))
    });
    (Driven::new(8, options, images), work)
}

#[test]
fn two_pulls_share_the_bandwidth() {
    let (mut driven, [a, b, _]) = pulling(0.0, 1000);
    driven.start(0.0, a).start(0.0, b);
    assert_eq!(driven.host.next_wake(), Some(at(20.0)));
    driven.finish();
    // Each gets 5 MiB/s until a is there; then b's other 100 MiB come at 10 MiB/s.
    assert_eq!((driven.started(0), driven.started(1)), (Some(20.0), Some(30.0)));
    assert_eq!((driven.ended_at(0), driven.ended_at(1)), (Some(25.0), Some(35.0)));
}

#[test]
fn a_pull_slows_down_when_another_begins_and_speeds_up_when_nobody_waits_for_that_any_more() {
    let (mut driven, [a, b, _]) = pulling(0.0, 1000);
    driven.start(0.0, b).start(10.0, a).kill(14.0, 0, 3.0).finish();
    // b: 100 MiB by 10 s, 20 MiB by 14 s, the last 80 MiB by 22 s.
    assert_eq!(driven.started(1), Some(22.0));
    assert_eq!((driven.started(0), driven.ended(0)), (None, Some((14.0, How::Killed, 0.0, 0.0))));
}

#[test]
fn an_image_is_pulled_once_for_all_that_wait_for_it_and_is_there_for_those_that_come_later() {
    let (mut driven, [a, ..]) = pulling(2.0, 1000);
    driven.start(0.0, a.clone()).start(6.0, Work { key: key(7), ..a.clone() });
    driven.until(at(11.0)).start(11.5, Work { key: key(8), ..a }).finish();
    assert_eq!([0, 7, 8].map(|task| driven.started(task)), [Some(12.0), Some(12.0), Some(13.5)]);
}

#[test]
fn an_image_that_had_to_go_is_pulled_again() {
    let (mut driven, [a, b, _]) = pulling(0.0, 250);
    driven.start(0.0, a.clone()).start(20.0, b).until(at(60.0));
    driven.start(60.0, Work { key: key(9), ..a }).finish();
    assert_eq!((driven.started(1), driven.started(9)), (Some(40.0), Some(70.0)));
}

#[test]
fn images_survive_a_crash_and_half_an_image_does_not() {
    let (mut driven, [a, b, c]) = pulling(0.0, 1000);
    driven.start(0.0, a.clone()).start(12.0, b.clone()).start(12.0, c);
    driven.until(at(14.0)).tell(at(14.0), |host, out| host.crash(at(14.0), out));
    assert!(driven.host.is_empty() && driven.host.next_wake().is_none());
    let lost = [0, 1, 2].map(|task| driven.ended(task).unwrap());
    assert_eq!(lost, [(14.0, How::Lost, 4.0, 4.0), (14.0, How::Lost, 0.0, 0.0), (14.0, How::Lost, 0.0, 0.0)]);
    driven.start(20.0, Work { key: key(7), ..a }).start(20.0, Work { key: key(8), ..b }).finish();
    assert_eq!((driven.started(7), driven.started(8)), (Some(20.0), Some(40.0)));
}

#[test]
fn tasks_that_want_four_and_two_of_three_cpus_get_half_each_if_they_request_the_same() {
    let mut driven = Driven::of(3);
    driven.start(0.0, busy(0, 30.0, 4)).start(0.0, busy(1, 30.0, 2));
    assert_eq!((driven.granted(0), driven.granted(1)), (1.5, 1.5));
    driven.finish();
    // The second runs at 3/4 until 40 s. By then the first, at 3/8, has done 15 s, and goes on at 3/4.
    assert_eq!(driven.ended(1), Some((40.0, How::Finished, 40.0, 30.0)));
    assert_eq!(driven.ended(0), Some((60.0, How::Finished, 60.0, 30.0)));
}

#[test]
fn a_container_may_use_what_nobody_else_wants_unless_it_has_a_limit() {
    let mut driven = Driven::of(8);
    let limited = Limits { cpus: Some(Scalar::whole(2)), mem: None };
    driven.start(0.0, busy(0, 10.0, 4)).start(0.0, Work { limits: limited, ..busy(1, 10.0, 4) }).finish();
    assert_eq!((driven.ended_at(0), driven.ended_at(1)), (Some(10.0), Some(20.0)));
    let options = HostOptions { enable_cfs: true, ..HostOptions::default() };
    let mut driven = Driven::new(8, options, Images::default());
    driven.start(0.0, busy(0, 10.0, 4)).start(0.0, Work { limits: limited, ..busy(1, 10.0, 4) }).finish();
    assert_eq!((driven.ended_at(0), driven.ended_at(1)), (Some(40.0), Some(20.0)));
}

#[test]
fn memory_grows_with_progress_and_the_limit_is_hit_at_the_exact_time() {
    let peak = |mem| Profile {
        mem_peak: Some(MemPeak { mem: Peak::Mem(Scalar::whole(mem)), at: 0.8 }),
        ..Profile::default()
    };
    let mut driven = Driven::of(4);
    let more = Limits { cpus: None, mem: Some(Scalar::whole(200)) };
    driven.start(0.0, profiled(0, 100.0, peak(160))).start(1.0, profiled(1, 100.0, peak(100)));
    driven.start(2.0, Work { limits: more, ..profiled(2, 100.0, peak(160)) });
    driven.start(3.0, profiled(3, 100.0, Profile { speed: 0.5, ..peak(160) })).finish();
    let oom = How::Failed(EndReason::MemoryLimit);
    assert_eq!(driven.ended(0), Some((50.0, oom, 50.0, 50.0)));
    assert_eq!(driven.ended(1), Some((101.0, How::Finished, 100.0, 100.0)));
    assert_eq!(driven.ended(2), Some((102.0, How::Finished, 100.0, 100.0)));
    assert_eq!(driven.ended(3), Some((103.0, oom, 100.0, 50.0)));
}

#[test]
fn a_planned_failure_comes_at_its_fraction_of_the_progress() {
    let mut driven = Driven::of(4);
    let fails = |at| Profile { fails_at: Some(at), ..Profile::default() };
    driven.start(0.0, profiled(0, 40.0, fails(0.25))).start(0.0, profiled(1, 40.0, fails(0.0))).finish();
    let failed = How::Failed(EndReason::CommandFailed);
    assert_eq!(driven.ended(0), Some((10.0, failed, 10.0, 10.0)));
    assert_eq!((driven.started(1), driven.ended(1)), (Some(0.0), Some((0.0, failed, 0.0, 0.0))));
}

/// A task of 100 s that takes 10 s to stop, and is asked to at 20 s.
fn stopping(grace: f64) -> Driven {
    let mut driven = Driven::of(4);
    driven.start(0.0, profiled(0, 100.0, Profile { stop_delay: secs(10.0), ..Profile::default() }));
    driven.kill(20.0, 0, grace);
    driven
}

#[test]
fn a_killed_container_exits_by_itself_or_is_forced_when_the_grace_is_over() {
    assert_eq!(stopping(30.0).finish().ended(0), Some((30.0, How::Killed, 30.0, 20.0)));
    assert_eq!(stopping(3.0).finish().ended(0), Some((23.0, How::Killed, 23.0, 20.0)));
    assert_eq!(stopping(0.0).ended(0), Some((20.0, How::Killed, 20.0, 20.0)));
}

#[test]
fn a_killed_container_does_no_more_work_whatever_the_speed_of_its_machine() {
    let mut driven = stopping(30.0);
    assert_eq!(driven.set_rate(25.0, 0.5).finish().ended(0), Some((30.0, How::Killed, 30.0, 20.0)));
}

#[test]
fn a_second_kill_only_shortens_the_grace_counted_from_the_first() {
    assert_eq!(stopping(8.0).kill(22.0, 0, 5.0).finish().ended_at(0), Some(25.0));
    assert_eq!(stopping(5.0).kill(22.0, 0, 8.0).finish().ended_at(0), Some(25.0), "a longer one is ignored");
    assert_eq!(
        stopping(8.0).kill(24.0, 0, 3.0).ended_at(0),
        Some(24.0),
        "one already exceeded kills at once"
    );
    assert_eq!(stopping(30.0).kill(24.0, 0, 20.0).finish().ended_at(0), Some(30.0));
    assert_eq!(stopping(8.0).kill(22.0, 0, 5.0).kill(23.0, 0, 7.0).finish().ended_at(0), Some(25.0));
}

#[test]
fn a_container_without_a_profile_stops_at_once_and_an_unknown_one_is_not_there() {
    let mut driven = Driven::of(4);
    driven.start(0.0, plain(0, 100.0)).kill(5.0, 0, 3.0);
    assert_eq!(driven.ended(0), Some((5.0, How::Killed, 5.0, 5.0)));
    let mut out = Vec::new();
    assert!(!driven.host.kill(at(5.0), key(0), secs(3.0), &mut out));
    assert!(!driven.host.destroy(at(5.0), key(0), &mut out) && !driven.host.evict(at(5.0), key(1), &mut out));
    assert!(out.is_empty() && driven.host.look(at(5.0), key(0)).is_none());
}

#[test]
fn a_forced_end_waits_for_nothing() {
    let mut driven = stopping(30.0);
    driven.until(at(21.0)).tell(at(21.0), |host, out| assert!(host.destroy(at(21.0), key(0), out)));
    assert_eq!(driven.ended(0), Some((21.0, How::Killed, 21.0, 20.0)));
    driven.start(21.0, Work { revocable: true, ..plain(1, 9.0) });
    driven.until(at(24.0)).tell(at(24.0), |host, out| assert!(host.evict(at(24.0), key(1), out)));
    assert_eq!(driven.ended(1), Some((24.0, How::Evicted, 3.0, 3.0)));
}

#[test]
fn a_machine_that_changes_its_speed_takes_its_containers_along() {
    let mut driven = Driven::of(4);
    driven.start(0.0, plain(0, 100.0)).set_rate(20.0, 0.5).start(30.0, plain(1, 10.0)).set_rate(60.0, 0.0);
    assert_eq!(driven.host.next_wake(), None);
    driven.set_rate(70.0, 1.0).finish();
    assert_eq!(driven.ended(1), Some((50.0, How::Finished, 20.0, 10.0)));
    assert_eq!(driven.ended(0), Some((130.0, How::Finished, 130.0, 100.0)));
}

#[test]
fn a_slow_machine_is_still_slow_after_a_crash() {
    let mut driven = Driven::of(4);
    driven.start(0.0, plain(0, 10.0)).set_rate(4.0, 0.5);
    driven.until(at(6.0)).tell(at(6.0), |host, out| host.crash(at(6.0), out));
    assert_eq!(driven.ended(0), Some((6.0, How::Lost, 6.0, 5.0)));
    assert_eq!(driven.start(7.0, plain(1, 10.0)).finish().ended_at(1), Some(27.0));
}

#[test]
fn a_straggler_takes_longer_and_uses_no_more_cpu() {
    let mut driven = Driven::of(4);
    driven.start(0.0, profiled(0, 10.0, Profile { speed: 0.25, ..Profile::default() }));
    assert_eq!(driven.granted(0), 1.0);
    assert_eq!(driven.finish().ended(0), Some((40.0, How::Finished, 40.0, 10.0)));
}

#[test]
fn revocable_containers_live_on_what_the_others_leave() {
    let mut driven = Driven::of(2);
    driven.start(0.0, Work { revocable: true, cpus: Scalar::whole(2), ..busy(0, 100.0, 2) });
    driven.start(10.0, Work { cpus: Scalar::whole(2), ..busy(1, 10.0, 1) });
    let view = driven.host.view();
    assert_eq!(
        (view.allocated, view.used, view.wanted),
        (Scalar::whole(2), Scalar::whole(1), Scalar::whole(3))
    );
    assert_eq!((view.revocable.len(), view.allocated_revocable()), (1, Scalar::whole(2)));
    assert_eq!((driven.granted(0), driven.granted(1)), (1.0, 1.0));
    driven.finish();
    assert_eq!((driven.ended_at(1), driven.ended_at(0)), (Some(20.0), Some(105.0)));
    driven.start(200.0, plain(2, 1.0)).start(200.0, plain(3, 1.0));
    assert!(driven.host.view().revocable.is_empty());
}

#[test]
fn a_stopping_container_keeps_its_cpus_busy() {
    let mut driven = Driven::of(1);
    let slow = Profile { stop_delay: secs(10.0), ..Profile::default() };
    driven.start(0.0, profiled(0, 100.0, slow)).start(0.0, plain(1, 20.0)).kill(10.0, 0, 60.0).finish();
    assert_eq!(driven.ended(0), Some((20.0, How::Killed, 20.0, 5.0)));
    assert_eq!(driven.ended(1), Some((30.0, How::Finished, 30.0, 20.0)));
}

#[test]
fn containers_that_end_together_end_in_the_order_of_their_start() {
    let mut driven = Driven::of(4);
    driven.start(0.0, plain(5, 10.0)).start(0.0, plain(3, 10.0)).start(5.0, plain(4, 5.0)).finish();
    let ended = driven.log.iter().filter_map(|(_, happening)| match happening {
        Happening::Ended { key, .. } => Some(key.task.index()),
        Happening::Started { .. } => None,
    });
    assert_eq!(ended.collect::<Vec<_>>(), [5, 3, 4]);
}

#[cfg(debug_assertions)] // looked for on each start only there
#[test]
#[should_panic(expected = "has a container")]
fn a_task_has_one_container() {
    Driven::of(4).start(0.0, plain(0, 10.0)).start(5.0, plain(0, 10.0));
}

#[test]
#[should_panic(expected = "it is 11 s, and the host was to be woken at Some(10 s)")]
fn a_host_must_be_woken_in_time() {
    let mut driven = Driven::of(4);
    driven.start(0.0, plain(0, 10.0)).host.set_rate(at(11.0), 1.0);
}
