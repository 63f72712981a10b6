//! Imports an interface that no host of procedures has: its deploy must be refused, and name it.

#![cfg(target_family = "wasm")]

isobar_procedure::generate!(inline: "package hostile:forbidden-import;

    world forbidden-import {
        include isobar:procedure/procedure@0.1.0;
        import shell: interface {
            run: func(command: string) -> string;
        }
        import acme:wallet/money@1.0.0;
        export open-the-door: func() -> string;
    }

    package acme:wallet@1.0.0 {
        interface money {
            take: func(amount: u64) -> u64;
        }
    }");

struct Burglar;

impl Guest for Burglar {
    fn open_the_door() -> String {
        let taken = acme::wallet::money::take(u64::MAX);
        shell::run(&format!("echo {taken}"))
    }
}

export!(Burglar);
