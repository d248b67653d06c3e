//! Resources as text.

use std::fmt::{self, Write as _};

use super::{
    DiskInfo, DiskSourceKind, Entry, Name, Reservation, ReservationKind, Resource, Resources, Value, Volume,
};

impl Resource {
    /// Whether the text form can say all that is known of it: no more than a static reservation.
    #[must_use]
    pub fn is_text(&self) -> bool {
        let about = self.about();
        let ([] | [Reservation { kind: ReservationKind::Static, principal: None, labels: None, .. }]) =
            about.reservations.as_slice()
        else {
            return false;
        };
        let rest = about.allocation_role.is_some() || about.disk.is_some() || about.provider.is_some();
        let speaks =
            |text: &str, none_of: &[char]| !text.is_empty() && text.trim() == text && !text.contains(none_of);
        !(rest || about.revocable || about.shared)
            && speaks(self.name.as_str(), &['(', ':', ';'])
            && about.reservations.iter().all(|reservation| speaks(&reservation.role, &[')', ':', ';']))
            && match &self.value {
                Value::Scalar(_) | Value::Ranges(_) => true,
                Value::Set(set) => {
                    let marks = ['{', '}', '[', ']', '(', ')', ',', ':', ';', ' ', '\n'];
                    set.iter().all(|word| speaks(word, &marks))
                }
            }
    }
}

impl Resources {
    /// Whether the text form, which is what is displayed, can say all of it. Devices are not asked for, nor whether there are
    /// several entries that reading the text would merge (only [`unallocate`](Self::unallocate) leaves such).
    #[must_use]
    pub fn is_text(&self) -> bool {
        let entries: Vec<_> = self.entries().map(|(resource, _)| resource).collect();
        let same_kind =
            |a: &Resource| entries.iter().all(|b| a.name != b.name || a.value.is_same_kind(&b.value));
        self.list().is_none() || entries.iter().all(|entry| entry.is_text() && same_kind(entry))
    }
}

impl fmt::Display for Resources {
    /// Mesos' text form, `cpus:4;mem(role):1024`: sorted by name, then role, the unreserved ones first. Entries that text
    /// cannot say (see [`is_text`](Self::is_text)) stand there as Mesos' logs print them, which nobody can parse.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut entries: Vec<_> = self.walk().collect();
        entries.sort_by(|a, b| key(a).cmp(&key(b)));
        for (place, entry) in entries.iter().enumerate() {
            if place > 0 {
                f.write_str(";")?;
            }
            write_entry(entry, f)?;
        }
        Ok(())
    }
}

impl fmt::Debug for Resources {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{{{self}")?;
        if !self.devices().is_empty() {
            write!(f, " on {:?}", self.devices())?;
        }
        write!(f, "}}")
    }
}

impl fmt::Display for Resource {
    /// The text form if it can say all of it, else as Mesos' logs print it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.is_text() {
            return write_log(self, f);
        }
        match self.reservation_role() {
            Some(role) => write!(f, "{}({role}):{}", self.name.as_str(), self.value),
            None => write!(f, "{}:{}", self.name.as_str(), self.value),
        }
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

fn key(entry: &Entry) -> (&str, Option<&str>) {
    (entry.resource.name.as_str(), entry.resource.reservation_role().map(|role| &**role))
}

fn write_entry(entry: &Entry, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    fmt::Display::fmt(&entry.resource, f)?;
    if entry.resource.is_shared() { write!(f, "<{}>", entry.copies) } else { Ok(()) }
}

/// As in Mesos' logs: `name(allocated: role)(reservations: [...])[disk]{REV}<SHARED>:value`.
fn write_log(resource: &Resource, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let about = resource.about();
    f.write_str(resource.name.as_str())?;
    if let Some(role) = &about.allocation_role {
        write!(f, "(allocated: {role})")?;
    }
    if !about.reservations.is_empty() {
        let stack: Vec<_> = about.reservations.iter().map(reservation).collect();
        write!(f, "(reservations: [{}])", stack.join(","))?;
    }
    if let Some(info) = &about.disk {
        write!(f, "[{}]", disk(info))?;
    }
    let marks = [(about.revocable, "{REV}"), (about.shared, "<SHARED>")];
    marks.iter().filter(|(is, _)| *is).try_for_each(|(_, mark)| f.write_str(mark))?;
    write!(f, ":{}", resource.value)
}

fn reservation(of: &Reservation) -> String {
    let kind = match of.kind {
        ReservationKind::Static => "STATIC",
        ReservationKind::Dynamic => "DYNAMIC",
    };
    let mut text = format!("({kind},{}", of.role);
    if let Some(principal) = &of.principal {
        text.extend([",", principal]);
    }
    if let Some(labels) = &of.labels {
        let label = |(key, value): &(String, Option<String>)| match value {
            Some(value) => format!("{key}: {value}"),
            None => key.clone(),
        };
        let labels: Vec<_> = labels.iter().map(label).collect();
        text.extend([",{", &labels.join(", "), "}"]);
    }
    text + ")"
}

fn disk(info: &DiskInfo) -> String {
    let mut text = String::new();
    if let Some(source) = &info.source {
        text += source.kind.as_str();
        let plugin: Vec<_> =
            [&source.vendor, &source.id, &source.profile].into_iter().flatten().cloned().collect();
        if !plugin.is_empty() {
            text.extend(["(", &plugin.join(","), ")"]);
        }
        if let Some(root) = &source.root {
            text.extend([":", root]);
        }
    }
    if let Some(persistence) = &info.persistence {
        text.extend([if text.is_empty() { "" } else { "," }, &persistence.id]);
    }
    if let Some(Volume { container_path, host_path, writable }) = &info.volume {
        match host_path {
            Some(host) => {
                let mode = if *writable { "rw" } else { "ro" };
                let _ = write!(text, ":{host}:{container_path}:{mode}");
            }
            None => text.extend([":", container_path]),
        }
    }
    text
}

impl DiskSourceKind {
    /// As Mesos spells it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Path => "PATH",
            Self::Mount => "MOUNT",
            Self::Block => "BLOCK",
            Self::Raw => "RAW",
        }
    }
}
