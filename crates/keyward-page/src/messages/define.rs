/// Defines every text of the page with its English.
macro_rules! messages {
    ($($(#[$doc:meta])* $name:ident = $text:literal,)*) => {
        /// Every text of the page. [`Messages::default`] is English; another language sets the fields.
        ///
        /// Where a text has `{n}`, a number is put there.
        ///
        /// ```
        /// # use keyward_page::Messages;
        /// let mut german = Messages::default();
        /// german.lang = "de".into();
        /// german.title = "API-Schlüssel".into();
        /// german.days_ago = "vor {n} Tagen".into();
        /// ```
        #[derive(Clone, Debug, PartialEq, Eq)]
        #[non_exhaustive]
        pub struct Messages {
            $($(#[$doc])* pub $name: Cow<'static, str>,)*
        }

        impl Default for Messages {
            /// English.
            fn default() -> Self {
                Self { $($name: Cow::Borrowed($text),)* }
            }
        }
    };
}

pub(super) use messages;
