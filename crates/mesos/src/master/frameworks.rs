//! How frameworks subscribe, come back and change (`Master::subscribe`, `failoverFramework`, `updateFramework`).

use std::{collections::VecDeque, sync::Arc};

use rustc_hash::FxHashMap;

use super::{
    Master,
    state::{Framework, UnreachableTasks},
};
use crate::{
    allocator::Allocator,
    call::{FrameworkInfo, Refusal, Subscribe},
    constraint::RoleConstraints,
    effects::{MasterEffects, Note, OfferEnd},
    event::{Event, ToAgent},
    id::{ConnectionId, FrameworkId, Id, RoleId},
    time::Time,
};

impl Master {
    /// A framework that is refused and has no id yet hears so under the id that the next one gets.
    pub(super) fn handle_subscribe(
        &mut self,
        now: Time,
        connection: ConnectionId,
        subscribe: Subscribe,
        out: &mut impl MasterEffects,
    ) {
        assert!(!self.framework_of.contains_key(&connection), "{connection:?} is a stream in use");
        let framework = subscribe.id.unwrap_or_else(|| FrameworkId::new(self.frameworks.len()));
        let known = self.frameworks.get(framework).and_then(Option::as_ref);
        let checked = self.check_framework(Some(framework), &subscribe);
        let checked = checked.and_then(|()| match known {
            Some(of) => check_principal(&of.info, &subscribe.info),
            None => Ok(()),
        });
        match checked {
            Err(message) => {
                out.send_event(framework, connection, Event::Error(message));
                out.close(connection);
            }
            Ok(()) if known.is_some() => self.resubscribe(now, connection, framework, subscribe, out),
            Ok(()) => self.subscribe_new(connection, framework, subscribe, out),
        }
    }

    /// A framework without an id, or with one that nobody here knows.
    fn subscribe_new(
        &mut self,
        connection: ConnectionId,
        id: FrameworkId,
        subscribe: Subscribe,
        out: &mut impl MasterEffects,
    ) {
        let Subscribe { info, suppressed_roles, offer_constraints, .. } = subscribe;
        self.add_framework(id, Arc::new(info), &suppressed_roles, offer_constraints, Some(connection));
        let framework = self.frameworks[id].as_ref().expect("added above");
        out.note(Note::FrameworkSubscribed { framework: id, is_new: true, roles: &framework.roles });
        for &role in &framework.suppressed {
            out.note(Note::Suppressed { framework: id, role, suppressed: true });
        }
        out.send_event(id, connection, Event::Subscribed { framework: id });
    }

    /// A framework that is there comes again over a new stream: the old one ends, user and checkpoint stay as they were,
    /// all else is as it says now (`Master::_subscribe`, `_failoverFramework`).
    fn resubscribe(
        &mut self,
        now: Time,
        connection: ConnectionId,
        id: FrameworkId,
        mut subscribe: Subscribe,
        out: &mut impl MasterEffects,
    ) {
        let of = self.frameworks[id].as_mut().expect("looked up by the caller");
        subscribe.info.user.clone_from(&of.info.user);
        subscribe.info.checkpoint = of.info.checkpoint;
        let old = of.connection;
        self.change_framework(now, id, subscribe, out);
        if let Some(old) = old {
            self.framework_of.remove(&old);
            out.send_event(id, old, Event::Error("Framework failed over".into()));
            out.close(old);
        }
        self.end_offers_of_framework(now, id, OfferEnd::Discarded, |_| true, out);
        self.end_inverse_offers_of_framework(now, id, false, out);
        let of = self.frameworks[id].as_mut().expect("looked up by the caller");
        of.connection = Some(connection);
        of.is_recovered = false;
        of.subscriptions += 1;
        self.framework_of.insert(connection, id);
        if old.is_none() {
            self.allocator.activate_framework(id);
        }
        let of = self.frameworks[id].as_ref().expect("looked up by the caller");
        out.note(Note::FrameworkSubscribed { framework: id, is_new: false, roles: &of.roles });
        out.send_event(id, connection, Event::Subscribed { framework: id });
        self.tell_agents(id, out);
    }

    /// A framework of which an agent that came back knows, and that did not come back itself. To be called before the
    /// agent's books are given to the allocator (`Master::recoverFramework`).
    pub(super) fn recover_framework(
        &mut self,
        id: FrameworkId,
        info: Arc<FrameworkInfo>,
        out: &mut impl MasterEffects,
    ) {
        self.add_framework(id, info, &[], Vec::new(), None);
        out.note(Note::FrameworkRecovered { framework: id });
    }

    /// Without a stream it counts as recovered.
    fn add_framework(
        &mut self,
        id: FrameworkId,
        info: Arc<FrameworkInfo>,
        suppressed_roles: &[String],
        offer_constraints: Vec<(String, RoleConstraints)>,
        connection: Option<ConnectionId>,
    ) {
        let known = self.frameworks.grow_to(id, || None);
        assert!(known.is_none(), "{id:?} is there already: {known:?}");
        let roles = self.role_ids(&info);
        let suppressed = self.named_roles(suppressed_roles);
        let for_allocator = self.for_allocator(id, &info, suppressed.clone(), &offer_constraints);
        let operations = self.operations_of(id);
        self.allocator.add_framework(id, for_allocator, &[], connection.is_some());
        if let Some(connection) = connection {
            self.framework_of.insert(connection, id);
        }
        self.frameworks[id] = Some(Box::new(Framework {
            info,
            roles,
            suppressed,
            offer_constraints,
            connection,
            is_recovered: connection.is_none(),
            subscriptions: u64::from(connection.is_some()),
            tasks: FxHashMap::default(),
            unreachable: UnreachableTasks::default(),
            completed: VecDeque::new(),
            operations,
        }));
    }

    /// Everything a framework says of itself is replaced; offers of roles that it has left are rescinded
    /// (`Master::updateFramework`). Whether its info is another one than before.
    fn change_framework(
        &mut self,
        now: Time,
        id: FrameworkId,
        wanted: Subscribe,
        out: &mut impl MasterEffects,
    ) -> bool {
        let Subscribe { info, suppressed_roles, offer_constraints, .. } = wanted;
        let roles = self.role_ids(&info);
        let suppressed = self.named_roles(&suppressed_roles);
        let for_allocator = self.for_allocator(id, &info, suppressed.clone(), &offer_constraints);
        self.allocator.update_framework(id, for_allocator);
        let has_left = |role: &RoleId| !roles.contains(role);
        self.end_offers_of_framework(now, id, OfferEnd::Rescinded, |offer| has_left(&offer.role), out);
        let of = self.frameworks[id].as_mut().expect("looked up by the caller");
        let is_other_info = *of.info != info;
        let has_changed = is_other_info || of.offer_constraints != offer_constraints;
        if is_other_info {
            of.info = Arc::new(info);
        }
        (of.roles, of.offer_constraints) = (roles, offer_constraints);
        if self.set_suppressed(id, suppressed, out) || has_changed {
            out.note(Note::FrameworkUpdated { framework: id });
        }
        is_other_info
    }

    /// UPDATE_FRAMEWORK: as SUBSCRIBE, over the same stream, but nothing that cannot change may even be said otherwise.
    /// Asks for no allocation.
    pub(super) fn update_framework(
        &mut self,
        now: Time,
        framework: FrameworkId,
        update: Subscribe,
        out: &mut impl MasterEffects,
    ) -> Result<(), Refusal> {
        let refusal = |message| Refusal { status: 400, message };
        if update.id != Some(framework) {
            let differs = "'framework_id' differs from 'update_framework.framework_info.id'";
            return Err(refusal(format!("Failed to validate scheduler::Call: {differs}")));
        }
        let of = self.frameworks[framework].as_ref().expect("a caller is known");
        self.check_framework(Some(framework), &update)
            .and_then(|()| check_principal(&of.info, &update.info))
            .and_then(|()| check_unchangeable(&of.info, &update.info))
            .map_err(|wrong| refusal(format!("Supplied FrameworkInfo is not valid: {wrong}")))?;
        if self.change_framework(now, framework, update, out) {
            self.tell_agents(framework, out);
        }
        Ok(())
    }

    /// Whether a call may come over this stream (`api.md` 2.2).
    pub(super) fn check_caller(
        &self,
        framework: FrameworkId,
        connection: ConnectionId,
    ) -> Result<(), Refusal> {
        let refusal = |status, message: &str| Err(Refusal { status, message: message.to_owned() });
        let Some(of) = self.frameworks.get(framework).and_then(Option::as_ref) else {
            return refusal(400, "Framework cannot be found");
        };
        match of.connection {
            None => refusal(403, "Framework is not subscribed"),
            Some(own) if own == connection => Ok(()),
            Some(_) => refusal(
                400,
                "The stream ID included in this request didn't match the stream ID currently associated with the \
                 framework",
            ),
        }
    }

    /// REVIVE; with a role that is not among the framework's the whole call is dropped (`Master::revive`).
    pub(super) fn revive(&mut self, framework: FrameworkId, roles: &[String], out: &mut impl MasterEffects) {
        let Some(revived) = self.roles_of_caller(framework, roles) else { return };
        self.allocator.revive_offers(framework, if roles.is_empty() { &[] } else { &revived });
        out.note(Note::Revived { framework, roles: &revived });
        let of = self.frameworks[framework].as_ref().expect("a caller is known");
        let suppressed = of.suppressed.iter().copied().filter(|role| !revived.contains(role)).collect();
        self.set_suppressed(framework, suppressed, out);
    }

    /// SUPPRESS; with a role that is not among the framework's the whole call is dropped (`Master::suppress`).
    pub(super) fn suppress(
        &mut self,
        framework: FrameworkId,
        roles: &[String],
        out: &mut impl MasterEffects,
    ) {
        let Some(wanted) = self.roles_of_caller(framework, roles) else { return };
        self.allocator.suppress_offers(framework, &wanted);
        let mut suppressed =
            self.frameworks[framework].as_ref().expect("a caller is known").suppressed.clone();
        suppressed.extend(wanted);
        self.set_suppressed(framework, suppressed, out);
    }

    /// The named roles, none meaning all; `None` if one of them is invalid or not subscribed to.
    fn roles_of_caller(&self, framework: FrameworkId, names: &[String]) -> Option<Vec<RoleId>> {
        let of = self.frameworks[framework].as_ref().expect("a caller is known");
        if names.is_empty() {
            return Some(of.roles.clone());
        }
        let subscribed = |name: &String| {
            let role = self.allocator.roles().get(name)?;
            of.roles.contains(&role).then_some(role)
        };
        let mut roles: Vec<RoleId> = names.iter().map(subscribed).collect::<Option<_>>()?;
        roles.sort_unstable();
        roles.dedup();
        Some(roles)
    }

    /// Notes what changes; whether something does.
    fn set_suppressed(
        &mut self,
        framework: FrameworkId,
        mut suppressed: Vec<RoleId>,
        out: &mut impl MasterEffects,
    ) -> bool {
        suppressed.sort_unstable();
        suppressed.dedup();
        let of = self.frameworks[framework].as_mut().expect("looked up by the caller");
        let before = std::mem::replace(&mut of.suppressed, suppressed);
        for &role in of.suppressed.iter().filter(|role| !before.contains(role)) {
            out.note(Note::Suppressed { framework, role, suppressed: true });
        }
        for &role in before.iter().filter(|role| !of.suppressed.contains(role)) {
            out.note(Note::Suppressed { framework, role, suppressed: false });
        }
        before != of.suppressed
    }

    fn named_roles(&mut self, names: &[String]) -> Vec<RoleId> {
        let mut roles: Vec<RoleId> = names.iter().map(|name| self.allocator.role(name)).collect();
        roles.sort_unstable();
        roles.dedup();
        roles
    }

    /// Every registered agent hears what the framework says of itself now.
    fn tell_agents(&self, framework: FrameworkId, out: &mut impl MasterEffects) {
        let info = &self.frameworks[framework].as_ref().expect("looked up by the caller").info;
        for agent in self.agents.iter().filter_map(|(_, agent)| agent.as_ref()) {
            let info = Arc::clone(info);
            out.send_to_agent(agent.address, ToAgent::UpdateFramework { framework, info });
        }
    }
}

fn check_principal(old: &FrameworkInfo, new: &FrameworkInfo) -> Result<(), String> {
    match old.principal == new.principal {
        true => Ok(()),
        false => Err("Changing framework's principal is not allowed.".into()),
    }
}

fn check_unchangeable(old: &FrameworkInfo, new: &FrameworkInfo) -> Result<(), String> {
    let unsupported = |field, old: &dyn std::fmt::Display, new: &dyn std::fmt::Display| {
        Err(format!(
            "Updating 'FrameworkInfo.{field}' is unsupported; attempted to update from '{old}' to '{new}'"
        ))
    };
    if old.user != new.user {
        return unsupported("user", &old.user, &new.user);
    }
    match old.checkpoint == new.checkpoint {
        true => Ok(()),
        false => unsupported("checkpoint", &old.checkpoint, &new.checkpoint),
    }
}
