//! The GPUs of one agent as devices.
//!
//! Mesos hands out `gpus` as a whole number and leaves to the agent which ones they are. Sharing needs to know: two
//! halves on two devices are not one whole. So a set of resources may carry, beside the amount of `gpus`, how much of
//! each device it holds. Offers then show which devices have how much left, a framework says which it takes, and one
//! device is never promised beyond 1000 thousandths, because containment is asked device by device.

use std::{fmt, ops};

/// The most GPUs that one agent may have.
pub const MAX_DEVICES: usize = 16;
/// A whole device, in thousandths.
pub const WHOLE_DEVICE: u16 = 1000;

/// How much of each device of one agent, in thousandths; the n-th place is the n-th device.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Devices([u16; MAX_DEVICES]);

impl Devices {
    /// Nothing of any device.
    pub const NONE: Self = Self([0; MAX_DEVICES]);

    /// The first `count` devices, whole. Panics if `count` is more than [`MAX_DEVICES`].
    #[must_use]
    pub fn whole(count: usize) -> Self {
        assert!(count <= MAX_DEVICES, "{count} devices, at most {MAX_DEVICES}");
        let mut devices = Self::NONE;
        devices.0[..count].fill(WHOLE_DEVICE);
        devices
    }

    /// A share of one device. Panics if the share is more than a whole.
    #[must_use]
    pub fn share(device: usize, thousandths: u16) -> Self {
        assert!(thousandths <= WHOLE_DEVICE, "{thousandths} thousandths of one device");
        let mut devices = Self::NONE;
        devices.0[device] = thousandths;
        devices
    }

    /// How much of one device.
    #[must_use]
    pub const fn get(&self, device: usize) -> u16 {
        self.0[device]
    }

    /// All devices, four to a word.
    #[must_use]
    pub fn words(&self) -> [u64; MAX_DEVICES / 4] {
        std::array::from_fn(|word| (0..4).fold(0, |bits, at| bits << 16 | u64::from(self.0[word * 4 + at])))
    }

    /// The sum over all devices, in thousandths of a device.
    #[must_use]
    pub fn total(&self) -> i64 {
        self.0.iter().map(|&amount| i64::from(amount)).sum()
    }

    /// Whether there is nothing of any device.
    #[inline]
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0 == [0; MAX_DEVICES]
    }

    /// Whether there is at least as much of every device; without branches.
    #[inline]
    #[must_use]
    pub fn contains(&self, other: &Self) -> bool {
        self.0.iter().zip(&other.0).fold(true, |all, (mine, theirs)| all & (mine >= theirs))
    }

    /// Whether [`take_whole`](Self::take_whole) would find so many; without branches, for scans over many agents.
    #[inline]
    #[must_use]
    pub fn have_whole(&self, count: usize) -> bool {
        self.0.iter().map(|&amount| usize::from(amount == WHOLE_DEVICE)).sum::<usize>() >= count
    }

    /// Whether [`take_share`](Self::take_share) would find one.
    #[inline]
    #[must_use]
    pub fn have_share(&self, thousandths: u16) -> bool {
        self.0.iter().fold(false, |found, &amount| found | (amount >= thousandths))
    }

    /// The first devices that make up at most this amount, in thousandths of a device; the last of them in part.
    #[must_use]
    pub fn first(&self, amount: i64) -> Self {
        let (mut kept, mut left) = (*self, amount.max(0));
        for share in &mut kept.0 {
            *share = i64::from(*share).min(left) as u16;
            left -= i64::from(*share);
        }
        kept
    }

    /// The `count` first devices that are whole, or `None` if there are fewer.
    #[must_use]
    pub fn take_whole(&self, count: usize) -> Option<Self> {
        let mut taken = Self::NONE;
        let whole = (0..MAX_DEVICES).filter(|&device| self.0[device] == WHOLE_DEVICE);
        let mut found = 0;
        for device in whole.take(count) {
            taken.0[device] = WHOLE_DEVICE;
            found += 1;
        }
        (found == count).then_some(taken)
    }

    /// The share on the device with the least left that still has room for it (best fit, ties to the lowest device), or
    /// `None` if none has.
    #[must_use]
    pub fn take_share(&self, thousandths: u16) -> Option<Self> {
        let fitting = (0..MAX_DEVICES).filter(|&device| self.0[device] >= thousandths);
        fitting.min_by_key(|&device| self.0[device]).map(|device| Self::share(device, thousandths))
    }
}

impl ops::AddAssign<&Self> for Devices {
    #[inline]
    fn add_assign(&mut self, other: &Self) {
        for (mine, theirs) in self.0.iter_mut().zip(other.0) {
            *mine = mine.saturating_add(theirs);
        }
    }
}

impl ops::SubAssign<&Self> for Devices {
    /// Stops at zero, like every subtraction of resources.
    #[inline]
    fn sub_assign(&mut self, other: &Self) {
        for (mine, theirs) in self.0.iter_mut().zip(other.0) {
            *mine = mine.saturating_sub(theirs);
        }
    }
}

impl fmt::Debug for Devices {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let held = (0..MAX_DEVICES).filter(|&device| self.0[device] > 0);
        f.debug_map().entries(held.map(|device| (device, self.0[device]))).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_halves_on_two_devices_are_not_one_whole() {
        let mut free = Devices::whole(2);
        free -= &Devices::share(0, 500);
        free -= &Devices::share(1, 500);
        assert_eq!(free.total(), 1000);
        assert_eq!(free.take_whole(1), None);
    }

    #[test]
    fn a_share_goes_to_the_device_with_the_least_room() {
        let mut free = Devices::whole(3);
        free -= &Devices::share(1, 300);
        free -= &Devices::share(2, 600);
        assert_eq!(free.take_share(400), Some(Devices::share(2, 400)));
        assert_eq!(free.take_share(500), Some(Devices::share(1, 500)));
        assert_eq!(free.take_share(900), Some(Devices::share(0, 900)));
    }
}
