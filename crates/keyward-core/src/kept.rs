use std::any::Any;
use std::sync::OnceLock;

/// Values of several types, each made once. They are found without a lock, the first of them at once.
#[derive(Default)]
pub(crate) struct Kept(OnceLock<Box<Link>>);

struct Link {
    value: Box<dyn Any + Send + Sync>,
    next: Kept,
}

impl Kept {
    #[inline]
    pub(crate) fn find<T: 'static>(&self) -> Option<&T> {
        let mut place = self;
        loop {
            let link = place.0.get()?;
            if let Some(value) = link.value.downcast_ref() {
                return Some(value);
            }
            place = &link.next;
        }
    }

    /// The value of this type. Of several that are made at once, one is kept.
    pub(crate) fn keep<T: Send + Sync + 'static>(&self, make: impl FnOnce() -> T) -> &T {
        let mut place = self;
        let mut make = Some(make);
        loop {
            let link = place.0.get_or_init(|| {
                // Only where nobody else was first; then the value is found right here.
                let value: Box<dyn Any + Send + Sync> = match make.take() {
                    Some(make) => Box::new(make()),
                    None => Box::new(()),
                };
                Box::new(Link {
                    value,
                    next: Self::default(),
                })
            });
            if let Some(value) = link.value.downcast_ref() {
                return value;
            }
            place = &link.next;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_of_each_type_is_kept() {
        let kept = Kept::default();
        assert_eq!(kept.find::<u8>(), None);
        assert_eq!(*kept.keep(|| 1_u8), 1);
        assert_eq!(*kept.keep(|| 2_u16), 2);
        assert_eq!(*kept.keep(|| 3_u8), 1);
        assert_eq!(kept.find::<u16>(), Some(&2));
        assert_eq!(kept.find::<u32>(), None);
    }

    #[test]
    fn of_many_at_once_one_is_kept() {
        let kept = Kept::default();
        let seen: Vec<(u64, u32)> = std::thread::scope(|scope| {
            let kept = &kept;
            let threads: Vec<_> = (0..8)
                .map(|n| scope.spawn(move || (*kept.keep(|| n), *kept.keep(|| n as u32))))
                .collect();
            threads
                .into_iter()
                .map(|thread| thread.join().unwrap())
                .collect()
        });
        assert!(seen.iter().all(|pair| *pair == seen[0]), "{seen:?}");
    }
}
