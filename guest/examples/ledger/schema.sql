-- Two decimals: the procedure refuses amounts with more, so that nothing is ever rounded.

CREATE TABLE account (
    id      text PRIMARY KEY,
    opening numeric(20, 2) NOT NULL DEFAULT 0 CHECK (opening >= 0),
    balance numeric(20, 2) NOT NULL CHECK (balance >= 0)
);

CREATE TABLE transfer (
    id     uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    amount numeric(20, 2) NOT NULL CHECK (amount > 0),
    made   timestamptz NOT NULL DEFAULT now()
);

-- Two rows per transfer, whose amounts add up to nothing.
CREATE TABLE entry (
    account  text NOT NULL,
    made     timestamptz NOT NULL,
    transfer uuid NOT NULL,
    amount   numeric(20, 2) NOT NULL,
    balance  numeric(20, 2) NOT NULL,
    PRIMARY KEY (account, made, transfer)
);
