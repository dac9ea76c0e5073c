CREATE FUNCTION public.refuse_change() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
begin
    raise exception '% is append-only', tg_table_name using errcode = 'restrict_violation';
end
$$;

CREATE FUNCTION public.refuse_published_change() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
begin
    if old.published_at is not null then
        raise exception 'a published rule version never changes' using errcode = 'restrict_violation';
    end if;
    return case tg_op when 'DELETE' then old else new end;
end
$$;

CREATE TABLE public.accounts (
    member_id uuid NOT NULL,
    sequence bigint NOT NULL,
    recorded_at timestamp with time zone NOT NULL,
    balance bigint NOT NULL,
    debt bigint NOT NULL,
    next_expiry_at timestamp with time zone,
    tier_id uuid NOT NULL,
    tier_since timestamp with time zone NOT NULL,
    tier_valid_until timestamp with time zone,
    ladder_version integer NOT NULL,
    qualifying bigint NOT NULL,
    qualifying_until timestamp with time zone,
    CONSTRAINT accounts_debt_check CHECK ((debt >= 0))
)
WITH (fillfactor='80');

CREATE TABLE public.activities (
    member_id uuid NOT NULL,
    sequence bigint NOT NULL,
    type text NOT NULL,
    source text NOT NULL,
    external_id text NOT NULL,
    occurred_at timestamp with time zone NOT NULL,
    recorded_at timestamp with time zone NOT NULL,
    total bigint,
    purchase_sequence bigint,
    attributes jsonb NOT NULL
);

CREATE TABLE public.activity_keys (
    hash uuid NOT NULL,
    member_id uuid NOT NULL,
    sequence bigint,
    input_hash uuid NOT NULL
)
WITH (fillfactor='80');

CREATE TABLE public.adjustments (
    id uuid NOT NULL,
    member_id uuid NOT NULL,
    entry_sequence bigint NOT NULL,
    points bigint NOT NULL,
    reason text NOT NULL,
    requested_at timestamp with time zone NOT NULL,
    requested_by text NOT NULL,
    CONSTRAINT adjustments_points_check CHECK ((points <> 0))
);

CREATE TABLE public.changes (
    id uuid NOT NULL,
    at timestamp with time zone NOT NULL,
    actor text NOT NULL,
    action text NOT NULL,
    object text NOT NULL,
    before jsonb,
    after jsonb
);

CREATE TABLE public.client_keys (
    id text NOT NULL COLLATE pg_catalog."C",
    client_id uuid NOT NULL,
    secret_hash bytea NOT NULL,
    created_at timestamp with time zone NOT NULL,
    expires_at timestamp with time zone,
    CONSTRAINT client_keys_secret_hash_check CHECK ((length(secret_hash) = 32))
);

CREATE TABLE public.clients (
    id uuid NOT NULL,
    name text NOT NULL,
    scopes text[] NOT NULL,
    created_at timestamp with time zone NOT NULL,
    last_used_at timestamp with time zone,
    revoked_at timestamp with time zone
);

CREATE TABLE public.debts (
    member_id uuid NOT NULL,
    sequence bigint NOT NULL,
    points bigint NOT NULL,
    remaining bigint NOT NULL,
    open boolean NOT NULL,
    CONSTRAINT debts_open CHECK ((open = (remaining > 0))),
    CONSTRAINT debts_points_check CHECK ((points > 0)),
    CONSTRAINT debts_remaining CHECK (((remaining >= 0) AND (remaining <= points)))
);

CREATE TABLE public.draws (
    member_id uuid NOT NULL,
    entry_sequence bigint NOT NULL,
    lot_sequence bigint NOT NULL,
    points bigint NOT NULL,
    posted_by bigint NOT NULL,
    CONSTRAINT draws_points_check CHECK ((points > 0))
);

CREATE TABLE public.entries (
    member_id uuid NOT NULL,
    sequence bigint NOT NULL,
    kind text NOT NULL,
    points bigint NOT NULL,
    balance_after bigint NOT NULL,
    occurred_at timestamp with time zone NOT NULL,
    recorded_at timestamp with time zone NOT NULL,
    activity_sequence bigint,
    adjustment_id uuid,
    reverses bigint,
    rule_id uuid,
    rule_version integer,
    basis bigint,
    qualifying bigint NOT NULL,
    qualifies_at timestamp with time zone NOT NULL,
    expires_at timestamp with time zone,
    CONSTRAINT entries_kind_check CHECK ((kind = ANY (ARRAY['ACCRUAL'::text, 'EXPIRY'::text, 'ADJUSTMENT'::text, 'REVERSAL'::text])))
);

CREATE TABLE public.evaluations (
    member_id uuid NOT NULL,
    sequence bigint NOT NULL,
    points bigint NOT NULL,
    qualifying bigint NOT NULL,
    outcomes jsonb NOT NULL
);

CREATE TABLE public.idempotency_keys (
    hash uuid NOT NULL,
    caller text NOT NULL,
    operation text NOT NULL,
    key text NOT NULL,
    input_hash uuid NOT NULL,
    result uuid NOT NULL,
    recorded_at timestamp with time zone NOT NULL
);

CREATE TABLE public.ladder_tiers (
    version integer NOT NULL,
    tier_id uuid NOT NULL,
    name text NOT NULL,
    rank integer NOT NULL,
    threshold bigint NOT NULL,
    benefits text[] NOT NULL,
    CONSTRAINT ladder_tiers_rank_check CHECK ((rank >= 0)),
    CONSTRAINT ladder_tiers_threshold_check CHECK ((threshold >= 0))
);

CREATE TABLE public.ladders (
    version integer NOT NULL,
    created_at timestamp with time zone NOT NULL,
    promoted_until uuid,
    promoted_at timestamp with time zone,
    CONSTRAINT ladders_version_check CHECK ((version > 0))
);

CREATE TABLE public.lots (
    member_id uuid NOT NULL,
    sequence bigint NOT NULL,
    points bigint NOT NULL,
    remaining bigint NOT NULL,
    earned_at timestamp with time zone NOT NULL,
    available_at timestamp with time zone NOT NULL,
    expires_at timestamp with time zone,
    open boolean NOT NULL,
    CONSTRAINT lots_open CHECK ((open = (remaining > 0))),
    CONSTRAINT lots_points_check CHECK ((points > 0)),
    CONSTRAINT lots_remaining CHECK (((remaining >= 0) AND (remaining <= points)))
)
WITH (fillfactor='90');

CREATE TABLE public.member_keys (
    kind text NOT NULL,
    value text NOT NULL COLLATE pg_catalog."C",
    member_id uuid NOT NULL,
    CONSTRAINT member_keys_kind_check CHECK ((kind = ANY (ARRAY['NUMBER'::text, 'EXTERNAL_ID'::text, 'EMAIL'::text, 'PHONE'::text])))
);

CREATE TABLE public.members (
    id uuid NOT NULL,
    number text NOT NULL,
    external_id text,
    status text NOT NULL,
    display_name text,
    email text,
    phone text,
    birth_date date,
    locale text NOT NULL,
    time_zone text NOT NULL,
    joined_at timestamp with time zone NOT NULL,
    attributes jsonb NOT NULL,
    recorded_at timestamp with time zone NOT NULL,
    CONSTRAINT members_status_check CHECK ((status = ANY (ARRAY['ACTIVE'::text, 'SUSPENDED'::text])))
);

CREATE TABLE public.notice_consumers (
    name text NOT NULL,
    read_to bigint NOT NULL,
    fence bigint NOT NULL,
    fence_transaction xid8 NOT NULL
);

CREATE TABLE public.notices (
    id bigint NOT NULL,
    member_id uuid,
    type text NOT NULL,
    version integer NOT NULL,
    payload jsonb NOT NULL,
    recorded_at timestamp with time zone NOT NULL,
    CONSTRAINT notices_version_check CHECK ((version > 0))
);

ALTER TABLE public.notices ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.notices_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.program (
    singleton boolean DEFAULT true NOT NULL,
    name text NOT NULL,
    currency text NOT NULL,
    time_zone text NOT NULL,
    default_locale text NOT NULL,
    starts_at timestamp with time zone,
    revision bigint NOT NULL,
    created_at timestamp with time zone NOT NULL,
    CONSTRAINT program_singleton_check CHECK (singleton)
);

CREATE TABLE public.purchase_lines (
    member_id uuid NOT NULL,
    sequence bigint NOT NULL,
    line integer NOT NULL,
    id text NOT NULL,
    sku text NOT NULL,
    quantity bigint NOT NULL,
    amount bigint NOT NULL,
    discount bigint,
    category text,
    brand text,
    CONSTRAINT purchase_lines_quantity_check CHECK ((quantity <> 0))
);

CREATE TABLE public.return_lines (
    member_id uuid NOT NULL,
    sequence bigint NOT NULL,
    purchase_sequence bigint NOT NULL,
    line integer NOT NULL,
    quantity bigint NOT NULL,
    amount bigint NOT NULL
);

CREATE TABLE public.rule_versions (
    rule_id uuid NOT NULL,
    version integer NOT NULL,
    name text NOT NULL,
    trigger text NOT NULL,
    condition text,
    award_fixed bigint,
    award_points bigint,
    award_every bigint,
    award_rounding text,
    award_multiplier bigint,
    qualifying boolean NOT NULL,
    starts_at timestamp with time zone,
    ends_at timestamp with time zone,
    priority integer NOT NULL,
    effective_from timestamp with time zone,
    published_at timestamp with time zone,
    created_at timestamp with time zone NOT NULL,
    CONSTRAINT rule_versions_award_every_check CHECK ((award_every > 0)),
    CONSTRAINT rule_versions_award_fixed_check CHECK ((award_fixed > 0)),
    CONSTRAINT rule_versions_award_multiplier_check CHECK ((award_multiplier > 1000000)),
    CONSTRAINT rule_versions_award_points_check CHECK ((award_points > 0)),
    CONSTRAINT rule_versions_award_rounding_check CHECK ((award_rounding = ANY (ARRAY['FLOOR'::text, 'HALF_UP'::text, 'CEIL'::text]))),
    CONSTRAINT rule_versions_one_award CHECK ((num_nonnulls(award_fixed, award_points, award_multiplier) = 1)),
    CONSTRAINT rule_versions_per_amount CHECK ((num_nonnulls(award_points, award_every, award_rounding) = ANY (ARRAY[0, 3]))),
    CONSTRAINT rule_versions_published CHECK (((published_at IS NOT NULL) OR (effective_from IS NULL))),
    CONSTRAINT rule_versions_schedule CHECK ((ends_at > starts_at)),
    CONSTRAINT rule_versions_version_check CHECK ((version > 0))
);

CREATE TABLE public.rules (
    id uuid NOT NULL,
    created_at timestamp with time zone NOT NULL
);

CREATE TABLE public.schema_migrations (
    version integer NOT NULL,
    name text NOT NULL,
    checksum text NOT NULL,
    applied_at timestamp with time zone NOT NULL
);

CREATE TABLE public.signing_keys (
    id text NOT NULL COLLATE pg_catalog."C",
    created_at timestamp with time zone NOT NULL,
    public bytea NOT NULL,
    private bytea,
    retired_at timestamp with time zone,
    CONSTRAINT signing_keys_private_check CHECK ((length(private) = 32)),
    CONSTRAINT signing_keys_public_check CHECK ((length(public) = 32)),
    CONSTRAINT signing_keys_retired CHECK (((retired_at IS NULL) OR (private IS NULL)))
);

CREATE TABLE public.tier_moves (
    member_id uuid NOT NULL,
    sequence bigint NOT NULL,
    at timestamp with time zone NOT NULL,
    recorded_at timestamp with time zone NOT NULL,
    from_tier_id uuid,
    to_tier_id uuid NOT NULL,
    reason text NOT NULL,
    ladder_version integer NOT NULL,
    valid_until timestamp with time zone,
    CONSTRAINT tier_moves_reason_check CHECK ((reason = ANY (ARRAY['ENROLLED'::text, 'REACHED'::text, 'LADDER_CHANGED'::text, 'REQUALIFIED'::text, 'LAPSED'::text])))
);

ALTER TABLE ONLY public.accounts
    ADD CONSTRAINT accounts_pkey PRIMARY KEY (member_id);

ALTER TABLE ONLY public.activities
    ADD CONSTRAINT activities_pkey PRIMARY KEY (member_id, sequence);

ALTER TABLE ONLY public.activity_keys
    ADD CONSTRAINT activity_keys_pkey PRIMARY KEY (hash);

ALTER TABLE ONLY public.adjustments
    ADD CONSTRAINT adjustments_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.changes
    ADD CONSTRAINT changes_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.client_keys
    ADD CONSTRAINT client_keys_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.clients
    ADD CONSTRAINT clients_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.debts
    ADD CONSTRAINT debts_pkey PRIMARY KEY (member_id, sequence);

ALTER TABLE ONLY public.draws
    ADD CONSTRAINT draws_pkey PRIMARY KEY (member_id, entry_sequence, lot_sequence);

ALTER TABLE ONLY public.entries
    ADD CONSTRAINT entries_pkey PRIMARY KEY (member_id, sequence);

ALTER TABLE ONLY public.evaluations
    ADD CONSTRAINT evaluations_pkey PRIMARY KEY (member_id, sequence);

ALTER TABLE ONLY public.idempotency_keys
    ADD CONSTRAINT idempotency_keys_pkey PRIMARY KEY (hash);

ALTER TABLE ONLY public.ladder_tiers
    ADD CONSTRAINT ladder_tiers_pkey PRIMARY KEY (version, tier_id);

ALTER TABLE ONLY public.ladder_tiers
    ADD CONSTRAINT ladder_tiers_rank UNIQUE (version, rank);

ALTER TABLE ONLY public.ladder_tiers
    ADD CONSTRAINT ladder_tiers_threshold UNIQUE (version, threshold);

ALTER TABLE ONLY public.ladders
    ADD CONSTRAINT ladders_pkey PRIMARY KEY (version);

ALTER TABLE ONLY public.lots
    ADD CONSTRAINT lots_pkey PRIMARY KEY (member_id, sequence);

ALTER TABLE ONLY public.member_keys
    ADD CONSTRAINT member_keys_pkey PRIMARY KEY (kind, value);

ALTER TABLE ONLY public.members
    ADD CONSTRAINT members_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.notice_consumers
    ADD CONSTRAINT notice_consumers_pkey PRIMARY KEY (name);

ALTER TABLE ONLY public.notices
    ADD CONSTRAINT notices_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.program
    ADD CONSTRAINT program_pkey PRIMARY KEY (singleton);

ALTER TABLE ONLY public.purchase_lines
    ADD CONSTRAINT purchase_lines_pkey PRIMARY KEY (member_id, sequence, line);

ALTER TABLE ONLY public.return_lines
    ADD CONSTRAINT return_lines_pkey PRIMARY KEY (member_id, sequence, line);

ALTER TABLE ONLY public.rule_versions
    ADD CONSTRAINT rule_versions_pkey PRIMARY KEY (rule_id, version);

ALTER TABLE ONLY public.rules
    ADD CONSTRAINT rules_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.schema_migrations
    ADD CONSTRAINT schema_migrations_pkey PRIMARY KEY (version);

ALTER TABLE ONLY public.signing_keys
    ADD CONSTRAINT signing_keys_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.tier_moves
    ADD CONSTRAINT tier_moves_pkey PRIMARY KEY (member_id, sequence);

CREATE INDEX activities_by_purchase ON public.activities USING btree (member_id, purchase_sequence) WHERE (purchase_sequence IS NOT NULL);

CREATE INDEX adjustments_by_member ON public.adjustments USING btree (member_id, id);

CREATE INDEX changes_by_object ON public.changes USING btree (object, id);

CREATE INDEX client_keys_by_client ON public.client_keys USING btree (client_id);

CREATE UNIQUE INDEX client_keys_current ON public.client_keys USING btree (client_id) WHERE (expires_at IS NULL);

CREATE UNIQUE INDEX clients_name ON public.clients USING btree (name) WHERE (revoked_at IS NULL);

CREATE INDEX debts_open ON public.debts USING btree (member_id) WHERE open;

CREATE INDEX entries_by_activity ON public.entries USING btree (member_id, activity_sequence) WHERE (activity_sequence IS NOT NULL);

CREATE INDEX entries_by_reversed ON public.entries USING btree (member_id, reverses) WHERE (reverses IS NOT NULL);

CREATE INDEX entries_qualifying ON public.entries USING btree (member_id, qualifies_at) INCLUDE (qualifying) WHERE (qualifying <> 0);

CREATE UNIQUE INDEX ladder_tiers_name ON public.ladder_tiers USING btree (version, lower(name));

CREATE INDEX lots_open ON public.lots USING btree (member_id) WHERE open;

CREATE INDEX members_by_name ON public.members USING btree (lower(display_name) COLLATE "C");

CREATE INDEX return_lines_by_purchase ON public.return_lines USING btree (member_id, purchase_sequence);

CREATE UNIQUE INDEX signing_keys_signing ON public.signing_keys USING btree ((true)) WHERE (private IS NOT NULL);

CREATE TRIGGER activities_append_only BEFORE DELETE OR UPDATE ON public.activities FOR EACH ROW EXECUTE FUNCTION public.refuse_change();

CREATE TRIGGER activities_never_truncated BEFORE TRUNCATE ON public.activities FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();

CREATE TRIGGER entries_append_only BEFORE DELETE OR UPDATE ON public.entries FOR EACH ROW EXECUTE FUNCTION public.refuse_change();

CREATE TRIGGER entries_never_truncated BEFORE TRUNCATE ON public.entries FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();

CREATE TRIGGER rule_versions_published_never_change BEFORE DELETE OR UPDATE ON public.rule_versions FOR EACH ROW EXECUTE FUNCTION public.refuse_published_change();

CREATE TRIGGER tier_moves_append_only BEFORE DELETE OR UPDATE ON public.tier_moves FOR EACH ROW EXECUTE FUNCTION public.refuse_change();

CREATE TRIGGER tier_moves_never_truncated BEFORE TRUNCATE ON public.tier_moves FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();

ALTER TABLE ONLY public.client_keys
    ADD CONSTRAINT client_keys_client_id_fkey FOREIGN KEY (client_id) REFERENCES public.clients(id);

ALTER TABLE ONLY public.ladder_tiers
    ADD CONSTRAINT ladder_tiers_version_fkey FOREIGN KEY (version) REFERENCES public.ladders(version);

ALTER TABLE ONLY public.rule_versions
    ADD CONSTRAINT rule_versions_rule_id_fkey FOREIGN KEY (rule_id) REFERENCES public.rules(id);
