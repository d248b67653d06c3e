//! Choices made from a few random numbers, so that smaller numbers are simpler choices.

/// The numbers of one step, asked one after the other.
#[derive(Clone, Debug)]
pub(crate) struct Pick {
    numbers: [u16; 8],
    asked: u32,
}

impl Pick {
    pub(crate) const fn new(numbers: [u16; 8]) -> Self {
        Self { numbers, asked: 0 }
    }

    /// A number below `count`; 0 if there is none below.
    pub(crate) fn below(&mut self, count: usize) -> usize {
        let (round, place) = (self.asked / 8, self.asked % 8);
        self.asked += 1;
        // Numbers are used again in other places, turned; all of them being zero stays so.
        let turned = self.numbers[place as usize].rotate_left(round * 5);
        usize::from(turned).checked_rem(count).unwrap_or(0)
    }

    /// One of these.
    pub(crate) fn of<T: Clone>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len())].clone()
    }

    /// One of these, if there is any.
    pub(crate) fn any<T: Clone>(&mut self, choices: &[T]) -> Option<T> {
        (!choices.is_empty()).then(|| self.of(choices))
    }

    /// True once in `times`.
    pub(crate) fn once_in(&mut self, times: usize) -> bool {
        self.below(times) + 1 == times
    }

    /// Those of these for which a coin says so; none if all numbers are zero.
    pub(crate) fn some<T: Clone>(&mut self, choices: &[T]) -> Vec<T> {
        let coins = self.below(1 << choices.len().min(15));
        let chosen = choices.iter().enumerate().filter(|(place, _)| coins & (1 << place) != 0);
        chosen.map(|(_, choice)| choice.clone()).collect()
    }
}
