//! What operators ask of the master, and what follows.

mod drain;
mod maintenance;
mod quota;
mod reserve;
mod weights;

use mesos::{
    allocator::Ascending,
    effects::OfferEnd,
    event::Event,
    id::{FrameworkId, OfferId},
    master::{Master, MasterOptions},
    operator::{Answer, Done, OperatorCall},
};

use crate::talk::Talk;

/// 200 at once.
const OK: Option<Answer> = Some(Ok(Done::Ok));

/// Status and words of a refusal.
fn refused(talk: &mut Talk, call: OperatorCall) -> (u16, String) {
    let answer = talk.operator(call);
    let Some(Err(refusal)) = answer else { panic!("not refused: {answer:?}") };
    (refusal.status, refusal.message)
}

/// Asserts that a call is refused with a status, and words that say why.
#[track_caller]
fn assert_refused(talk: &mut Talk, call: OperatorCall, status: u16, words: &str) {
    let asked = format!("{call:?}");
    let (is, text) = refused(talk, call);
    assert!(is == status && text.contains(words), "{asked}: {is} {text}, expected {status} ..{words}..");
}

/// Offers rescinded since somebody last looked, and whom from.
fn rescinded(talk: &mut Talk) -> Vec<(FrameworkId, OfferId)> {
    let rescind = |(framework, _, event)| {
        if let Event::Rescind(offer) = event { Some((framework, offer)) } else { None }
    };
    std::mem::take(&mut talk.said.events).into_iter().filter_map(rescind).collect()
}

/// Another master takes over.
fn fail_over(talk: &mut Talk) {
    let identities = talk.master.identities();
    let (options, order) = (MasterOptions::default(), Box::new(Ascending));
    talk.master = Master::recover(options, order, &talk.said.registry, &identities, talk.now).unwrap();
}

/// Whether a note that begins so was made.
fn noted(talk: &Talk, note: &str) -> bool {
    talk.said.notes.iter().any(|of| of.starts_with(note))
}

#[test]
fn teardown_of_a_framework_that_is_not_there_is_refused() {
    let mut talk = Talk::new(MasterOptions::default());
    let (framework, connection) = talk.framework("a");
    assert_eq!(talk.operator(OperatorCall::Teardown(framework)), OK);
    assert_eq!(talk.said.closed, [connection]);
    assert_refused(&mut talk, OperatorCall::Teardown(framework), 400, "No framework found");
}

#[test]
fn a_rescinded_offer_is_told_to_its_framework_and_noted() {
    let mut talk = Talk::new(MasterOptions::default());
    let (framework, _) = talk.framework("a");
    let agent = talk.agent(0, "cpus:4;mem:64");
    let offer = talk.offers().remove(0);
    assert_eq!(talk.operator(OperatorCall::DeactivateAgent(agent)), OK);
    assert_eq!(rescinded(&mut talk), [(framework, offer.id)]);
    assert!(noted(&talk, &format!("OffersEnded({:?}", OfferEnd::Rescinded)));
}
