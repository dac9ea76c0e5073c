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
    next_change_at timestamp with time zone,
    tier_id uuid NOT NULL,
    tier_since timestamp with time zone NOT NULL,
    tier_valid_until timestamp with time zone,
    ladder_version integer NOT NULL,
    qualifying bigint NOT NULL,
    qualifying_until timestamp with time zone,
    pending bigint DEFAULT 0 NOT NULL,
    held bigint DEFAULT 0 NOT NULL,
    heard_at timestamp with time zone NOT NULL,
    joined_at timestamp with time zone NOT NULL,
    tier_earned_id uuid,
    tier_grace_until timestamp with time zone,
    tier_coming_id uuid,
    tier_coming_at timestamp with time zone,
    tier_floor_id uuid,
    tier_floor_until timestamp with time zone,
    review_at timestamp with time zone,
    CONSTRAINT accounts_debt_check CHECK ((debt >= 0)),
    CONSTRAINT accounts_held_check CHECK ((held >= 0)),
    CONSTRAINT accounts_pending_check CHECK ((pending >= 0))
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
    attributes jsonb NOT NULL,
    paid_with_points bigint,
    CONSTRAINT activities_paid CHECK (((paid_with_points IS NULL) OR ((total IS NOT NULL) AND ((paid_with_points >= 0) AND (paid_with_points <= total)))))
);

CREATE TABLE public.activity_keys (
    hash uuid NOT NULL,
    member_id uuid,
    sequence bigint,
    input_hash uuid NOT NULL
)
WITH (fillfactor='80');

CREATE TABLE public.adjustment_caps (
    role text NOT NULL,
    points_per_day bigint NOT NULL,
    CONSTRAINT adjustment_caps_points_per_day_check CHECK ((points_per_day >= 0)),
    CONSTRAINT adjustment_caps_role_check CHECK ((role = ANY (ARRAY['SUPPORT'::text, 'ADMIN'::text])))
);

CREATE TABLE public.adjustments (
    id uuid NOT NULL,
    member_id uuid NOT NULL,
    entry_sequence bigint,
    points bigint NOT NULL,
    reason text NOT NULL,
    requested_at timestamp with time zone NOT NULL,
    requested_by text NOT NULL,
    status text NOT NULL,
    expires_at timestamp with time zone,
    reviewed_at timestamp with time zone,
    reviewed_by text,
    review_note text,
    reversed_at timestamp with time zone,
    reversed_by text,
    reversal_reason text,
    reversal_sequence bigint,
    CONSTRAINT adjustments_points_check CHECK ((points <> 0)),
    CONSTRAINT adjustments_posted CHECK (((status = 'POSTED'::text) = (entry_sequence IS NOT NULL))),
    CONSTRAINT adjustments_reversed CHECK ((((reversed_at IS NULL) = (reversed_by IS NULL)) AND ((reversed_at IS NULL) = (reversal_reason IS NULL)) AND ((reversed_at IS NULL) = (reversal_sequence IS NULL)) AND ((reversed_at IS NULL) OR (status = 'POSTED'::text)))),
    CONSTRAINT adjustments_reviewed CHECK ((((reviewed_at IS NULL) = (reviewed_by IS NULL)) AND ((status <> 'DECLINED'::text) OR (reviewed_at IS NOT NULL)) AND ((status <> 'WAITING'::text) OR (reviewed_at IS NULL)))),
    CONSTRAINT adjustments_status_check CHECK ((status = ANY (ARRAY['POSTED'::text, 'WAITING'::text, 'DECLINED'::text]))),
    CONSTRAINT adjustments_two_persons CHECK ((reviewed_by <> requested_by))
);

CREATE TABLE public.announced_expiries (
    member_id uuid NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    heard_at timestamp with time zone
);

CREATE TABLE public.attendances (
    booking_id uuid NOT NULL,
    number integer NOT NULL,
    occurrence_id uuid NOT NULL,
    member_id uuid NOT NULL,
    occurred_at timestamp with time zone NOT NULL,
    points bigint,
    expires_at timestamp with time zone,
    status text NOT NULL,
    activity_sequence bigint,
    adjustment_id uuid,
    refusal text,
    CONSTRAINT attendances_points_check CHECK ((points > 0)),
    CONSTRAINT attendances_recorded CHECK (((status <> 'RECORDED'::text) OR (activity_sequence IS NOT NULL))),
    CONSTRAINT attendances_refused CHECK (((status <> 'REFUSED'::text) OR (refusal IS NOT NULL))),
    CONSTRAINT attendances_status_check CHECK ((status = ANY (ARRAY['DUE'::text, 'RECORDED'::text, 'REVOKING'::text, 'REVOKED'::text, 'REFUSED'::text])))
)
WITH (fillfactor='80');

CREATE TABLE public.backtests (
    id uuid NOT NULL,
    status text NOT NULL,
    draft jsonb,
    replaces uuid,
    period_from timestamp with time zone NOT NULL,
    period_to timestamp with time zone NOT NULL,
    requested_at timestamp with time zone NOT NULL,
    requested_by text NOT NULL,
    started_at timestamp with time zone,
    attempts integer DEFAULT 0 NOT NULL,
    finished_at timestamp with time zone,
    done bigint DEFAULT 0 NOT NULL,
    total bigint,
    results jsonb,
    error text,
    CONSTRAINT backtests_error CHECK (((status = 'FAILED'::text) = (error IS NOT NULL))),
    CONSTRAINT backtests_finished CHECK (((status = 'RUNNING'::text) = (finished_at IS NULL))),
    CONSTRAINT backtests_period CHECK ((period_from < period_to)),
    CONSTRAINT backtests_results CHECK (((status = 'SUCCEEDED'::text) = (results IS NOT NULL))),
    CONSTRAINT backtests_status_check CHECK ((status = ANY (ARRAY['RUNNING'::text, 'SUCCEEDED'::text, 'FAILED'::text, 'CANCELED'::text])))
);

CREATE TABLE public.bookings (
    id uuid NOT NULL,
    occurrence_id uuid NOT NULL,
    member_id uuid NOT NULL,
    seats integer NOT NULL,
    status text NOT NULL,
    booked_at timestamp with time zone NOT NULL,
    booked_by text NOT NULL,
    changed_at timestamp with time zone NOT NULL,
    waiting_since timestamp with time zone,
    offer_expires_at timestamp with time zone,
    reconfirmation_requested_at timestamp with time zone,
    checked_in_at timestamp with time zone,
    reason text,
    CONSTRAINT bookings_offered CHECK (((status <> 'OFFERED'::text) OR (offer_expires_at IS NOT NULL))),
    CONSTRAINT bookings_seats_check CHECK ((seats > 0)),
    CONSTRAINT bookings_status_check CHECK ((status = ANY (ARRAY['REQUESTED'::text, 'DECLINED'::text, 'CONFIRMED'::text, 'WAITLISTED'::text, 'OFFERED'::text, 'OFFER_EXPIRED'::text, 'CANCELED_BY_MEMBER'::text, 'CANCELED_BY_HOST'::text, 'ATTENDED'::text, 'NO_SHOW'::text]))),
    CONSTRAINT bookings_waiting CHECK (((status <> 'WAITLISTED'::text) OR (waiting_since IS NOT NULL)))
)
WITH (fillfactor='80');

CREATE TABLE public.calendar_links (
    member_id uuid NOT NULL,
    generation integer NOT NULL,
    active boolean NOT NULL,
    changed_at timestamp with time zone NOT NULL,
    CONSTRAINT calendar_links_generation_check CHECK ((generation > 0))
);

CREATE TABLE public.care_campaigns (
    id uuid NOT NULL,
    name text NOT NULL,
    occasion text NOT NULL,
    class text NOT NULL,
    channels text[] NOT NULL,
    templates jsonb NOT NULL,
    send_at text NOT NULL,
    shift text NOT NULL,
    holidays text[] DEFAULT '{}'::text[] NOT NULL,
    gift_points bigint,
    gift_valid_for text,
    enabled boolean NOT NULL,
    enabled_at timestamp with time zone,
    decided_at timestamp with time zone,
    version integer DEFAULT 1 NOT NULL,
    created_at timestamp with time zone NOT NULL,
    changed_at timestamp with time zone NOT NULL,
    CONSTRAINT care_campaigns_class_check CHECK ((class = ANY (ARRAY['SERVICE'::text, 'CARE'::text, 'MARKETING'::text, 'COMMUNITY'::text]))),
    CONSTRAINT care_campaigns_enabled CHECK (((NOT enabled) OR ((enabled_at IS NOT NULL) AND (decided_at IS NOT NULL)))),
    CONSTRAINT care_campaigns_gift_points_check CHECK ((gift_points > 0))
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

CREATE TABLE public.confirmations (
    member_id uuid NOT NULL,
    sequence bigint NOT NULL,
    activity_sequence bigint NOT NULL,
    recorded_at timestamp with time zone NOT NULL,
    confirmed_by text NOT NULL
);

CREATE TABLE public.consents (
    member_id uuid NOT NULL,
    sequence bigint NOT NULL,
    class text NOT NULL,
    channel text NOT NULL,
    granted boolean NOT NULL,
    source text NOT NULL,
    text_version text,
    at timestamp with time zone NOT NULL,
    actor text NOT NULL,
    CONSTRAINT consents_channel_check CHECK ((channel = ANY (ARRAY['EMAIL'::text, 'WEBHOOK'::text]))),
    CONSTRAINT consents_class_check CHECK ((class = ANY (ARRAY['CARE'::text, 'MARKETING'::text, 'COMMUNITY'::text]))),
    CONSTRAINT consents_sequence_check CHECK ((sequence > 0))
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
    CONSTRAINT draws_points_check CHECK ((points <> 0))
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
    lapsed bigint DEFAULT 0 NOT NULL,
    shortfall bigint DEFAULT 0 NOT NULL,
    hold_sequence bigint,
    operation_id uuid,
    available_at timestamp with time zone,
    CONSTRAINT entries_kind_check CHECK ((kind = ANY (ARRAY['ACCRUAL'::text, 'REDEMPTION'::text, 'REDEMPTION_CANCEL'::text, 'EXPIRY'::text, 'ADJUSTMENT'::text, 'REVERSAL'::text]))),
    CONSTRAINT entries_lapsed_check CHECK ((lapsed >= 0)),
    CONSTRAINT entries_shortfall_check CHECK ((shortfall >= 0))
);

CREATE TABLE public.evaluations (
    member_id uuid NOT NULL,
    sequence bigint NOT NULL,
    points bigint NOT NULL,
    qualifying bigint NOT NULL,
    outcomes jsonb NOT NULL
);

CREATE TABLE public.event_organizers (
    event_id uuid NOT NULL,
    organizer text NOT NULL,
    shared_at timestamp with time zone NOT NULL,
    shared_by text NOT NULL
);

CREATE TABLE public.events (
    id uuid NOT NULL,
    owner text NOT NULL,
    name text NOT NULL,
    description text,
    status text NOT NULL,
    time_zone text NOT NULL,
    starts_local timestamp without time zone NOT NULL,
    recurrence text,
    excluded_dates timestamp without time zone[] DEFAULT '{}'::timestamp without time zone[] NOT NULL,
    added_dates timestamp without time zone[] DEFAULT '{}'::timestamp without time zone[] NOT NULL,
    materialized_to timestamp with time zone,
    shift_seconds bigint DEFAULT 0 NOT NULL,
    duration text NOT NULL,
    venue text,
    capacity integer,
    sequence integer DEFAULT 0 NOT NULL,
    part integer DEFAULT 0 NOT NULL,
    booking_windows jsonb,
    requires_approval boolean NOT NULL,
    waitlist boolean NOT NULL,
    seats_per_booking integer NOT NULL,
    booking_closes_before text,
    cancel_closes_before text,
    offer_valid_for text NOT NULL,
    check_in_opens_before text NOT NULL,
    attendance_points bigint,
    created_at timestamp with time zone NOT NULL,
    changed_at timestamp with time zone NOT NULL,
    published_at timestamp with time zone,
    canceled_at timestamp with time zone,
    cancel_reason text,
    CONSTRAINT events_attendance_points_check CHECK ((attendance_points > 0)),
    CONSTRAINT events_canceled CHECK ((((status = 'CANCELED'::text) = (canceled_at IS NOT NULL)) AND ((canceled_at IS NULL) = (cancel_reason IS NULL)))),
    CONSTRAINT events_capacity_check CHECK ((capacity > 0)),
    CONSTRAINT events_published CHECK (((status <> 'PUBLISHED'::text) OR (published_at IS NOT NULL))),
    CONSTRAINT events_seats_per_booking_check CHECK ((seats_per_booking > 0)),
    CONSTRAINT events_status_check CHECK ((status = ANY (ARRAY['DRAFT'::text, 'PUBLISHED'::text, 'CANCELED'::text])))
);

CREATE TABLE public.gifts (
    member_id uuid NOT NULL,
    occasion_key text NOT NULL,
    campaign_id uuid NOT NULL,
    points bigint NOT NULL,
    expires_at timestamp with time zone,
    given_at timestamp with time zone NOT NULL,
    adjustment_id uuid NOT NULL,
    CONSTRAINT gifts_points_check CHECK ((points > 0))
);

CREATE TABLE public.happenings (
    member_id uuid NOT NULL,
    occasion text NOT NULL,
    subject text NOT NULL,
    at timestamp with time zone NOT NULL,
    details jsonb DEFAULT '{}'::jsonb NOT NULL
);

CREATE TABLE public.hearings (
    member_id uuid NOT NULL,
    heard_on date NOT NULL
);

CREATE TABLE public.hold_draws (
    member_id uuid NOT NULL,
    hold_sequence bigint NOT NULL,
    lot_sequence bigint NOT NULL,
    points bigint NOT NULL,
    CONSTRAINT hold_draws_points_check CHECK ((points > 0))
);

CREATE TABLE public.holds (
    member_id uuid NOT NULL,
    sequence bigint NOT NULL,
    id uuid NOT NULL,
    points bigint NOT NULL,
    reason text NOT NULL,
    placed_by text NOT NULL,
    placed_at timestamp with time zone NOT NULL,
    ends_at timestamp with time zone NOT NULL,
    status text NOT NULL,
    closed_at timestamp with time zone,
    entry_sequence bigint,
    purchase_source text,
    purchase_external_id text,
    open boolean NOT NULL,
    CONSTRAINT holds_captured CHECK (((status = 'CAPTURED'::text) = (entry_sequence IS NOT NULL))),
    CONSTRAINT holds_closed CHECK ((open = (closed_at IS NULL))),
    CONSTRAINT holds_open CHECK ((open = (status = 'OPEN'::text))),
    CONSTRAINT holds_points_check CHECK ((points > 0)),
    CONSTRAINT holds_status_check CHECK ((status = ANY (ARRAY['OPEN'::text, 'CAPTURED'::text, 'RELEASED'::text, 'EXPIRED'::text])))
)
WITH (fillfactor='90');

CREATE TABLE public.household_members (
    member_id uuid NOT NULL,
    household_id uuid NOT NULL
);

CREATE TABLE public.households (
    id uuid NOT NULL,
    note text NOT NULL,
    allowed_at timestamp with time zone NOT NULL,
    allowed_by text NOT NULL,
    ended_at timestamp with time zone,
    ended_by text,
    CONSTRAINT households_ended CHECK (((ended_at IS NULL) = (ended_by IS NULL)))
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

CREATE TABLE public.job_runs (
    id uuid NOT NULL,
    job text NOT NULL COLLATE pg_catalog."C",
    status text NOT NULL,
    scheduled_for timestamp with time zone NOT NULL,
    attempt integer,
    started_by text NOT NULL,
    started_at timestamp with time zone NOT NULL,
    finished_at timestamp with time zone,
    processed integer DEFAULT 0 NOT NULL,
    total integer,
    error text,
    CONSTRAINT job_runs_attempt_check CHECK ((attempt > 0)),
    CONSTRAINT job_runs_finished CHECK (((status = 'RUNNING'::text) = (finished_at IS NULL))),
    CONSTRAINT job_runs_status_check CHECK ((status = ANY (ARRAY['RUNNING'::text, 'SUCCEEDED'::text, 'FAILED'::text, 'INTERRUPTED'::text])))
)
WITH (fillfactor='80');

CREATE TABLE public.jobs (
    name text NOT NULL COLLATE pg_catalog."C",
    due_after timestamp with time zone NOT NULL
);

CREATE TABLE public.ladder_tiers (
    version integer NOT NULL,
    tier_id uuid NOT NULL,
    name text NOT NULL,
    rank integer NOT NULL,
    threshold bigint NOT NULL,
    benefits text[] NOT NULL,
    multiplier bigint,
    early_booking text,
    CONSTRAINT ladder_tiers_multiplier_check CHECK ((multiplier > 1000000)),
    CONSTRAINT ladder_tiers_rank_check CHECK ((rank >= 0)),
    CONSTRAINT ladder_tiers_threshold_check CHECK ((threshold >= 0))
);

CREATE TABLE public.ladders (
    version integer NOT NULL,
    created_at timestamp with time zone NOT NULL,
    promoted_until uuid,
    promoted_at timestamp with time zone,
    mode text NOT NULL,
    protect_until timestamp with time zone,
    CONSTRAINT ladders_mode_check CHECK ((mode = ANY (ARRAY['AT_NEXT_REVIEW'::text, 'NOW'::text]))),
    CONSTRAINT ladders_version_check CHECK ((version > 0))
);

CREATE TABLE public.lots (
    member_id uuid NOT NULL,
    sequence bigint NOT NULL,
    points bigint NOT NULL,
    remaining bigint NOT NULL,
    earned_at timestamp with time zone NOT NULL,
    available_at timestamp with time zone,
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
    CONSTRAINT member_keys_kind_check CHECK ((kind = ANY (ARRAY['NUMBER'::text, 'EXTERNAL_ID'::text, 'EMAIL'::text, 'PHONE'::text, 'REFERRAL_CODE'::text])))
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
    referral_code text NOT NULL,
    referred_by uuid,
    referral_until timestamp with time zone,
    birthday smallint GENERATED ALWAYS AS ((((EXTRACT(month FROM birth_date) * (100)::numeric) + EXTRACT(day FROM birth_date)))::smallint) STORED,
    joining_day smallint GENERATED ALWAYS AS ((((EXTRACT(month FROM (joined_at AT TIME ZONE 'UTC'::text)) * (100)::numeric) + EXTRACT(day FROM (joined_at AT TIME ZONE 'UTC'::text))))::smallint) STORED,
    earlier_time_zone text,
    time_zone_changed_at timestamp with time zone,
    birth_date_changed_at timestamp with time zone,
    CONSTRAINT members_referral_until CHECK (((referral_until IS NULL) OR (referred_by IS NOT NULL))),
    CONSTRAINT members_status_check CHECK ((status = ANY (ARRAY['ACTIVE'::text, 'SUSPENDED'::text])))
);

CREATE TABLE public.messages (
    member_id uuid NOT NULL,
    id uuid NOT NULL,
    campaign_id uuid NOT NULL,
    occasion text NOT NULL,
    occasion_key text NOT NULL,
    occasion_date date NOT NULL,
    class text NOT NULL,
    channel text NOT NULL,
    status text NOT NULL,
    reason text,
    detail text,
    locale text NOT NULL,
    subject text,
    body text NOT NULL,
    html text,
    created_at timestamp with time zone NOT NULL,
    send_after timestamp with time zone NOT NULL,
    send_before timestamp with time zone NOT NULL,
    due_at timestamp with time zone,
    attempts integer DEFAULT 0 NOT NULL,
    claimed_at timestamp with time zone,
    handed_at timestamp with time zone,
    uncertain integer DEFAULT 0 NOT NULL,
    sent_at timestamp with time zone,
    read_at timestamp with time zone,
    CONSTRAINT messages_channel_check CHECK ((channel = ANY (ARRAY['EMAIL'::text, 'WEBHOOK'::text, 'INBOX'::text]))),
    CONSTRAINT messages_due CHECK (((status = ANY (ARRAY['QUEUED'::text, 'DEFERRED'::text, 'SENDING'::text])) = (due_at IS NOT NULL))),
    CONSTRAINT messages_reason CHECK (((status <> 'SUPPRESSED'::text) OR (reason IS NOT NULL))),
    CONSTRAINT messages_status_check CHECK ((status = ANY (ARRAY['QUEUED'::text, 'DEFERRED'::text, 'SUPPRESSED'::text, 'SENDING'::text, 'SENT'::text, 'DELIVERED'::text, 'BOUNCED'::text, 'FAILED'::text, 'EXPIRED'::text])))
)
WITH (fillfactor='80');

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

CREATE TABLE public.occurrences (
    id uuid NOT NULL,
    event_id uuid NOT NULL,
    planned_local timestamp without time zone NOT NULL,
    added boolean NOT NULL,
    part integer NOT NULL,
    starts_local timestamp without time zone NOT NULL,
    starts_at timestamp with time zone NOT NULL,
    ends_at timestamp with time zone NOT NULL,
    duration text NOT NULL,
    venue text,
    capacity integer,
    seats_taken integer DEFAULT 0 NOT NULL,
    waitlisted integer DEFAULT 0 NOT NULL,
    status text NOT NULL,
    sequence integer NOT NULL,
    own_start boolean DEFAULT false NOT NULL,
    own_duration boolean DEFAULT false NOT NULL,
    own_venue boolean DEFAULT false NOT NULL,
    own_capacity boolean DEFAULT false NOT NULL,
    moved_at timestamp with time zone,
    changed_at timestamp with time zone NOT NULL,
    canceled_at timestamp with time zone,
    cancel_reason text,
    completed_at timestamp with time zone,
    CONSTRAINT occurrences_canceled CHECK ((((status = 'CANCELED'::text) = (canceled_at IS NOT NULL)) AND ((canceled_at IS NULL) = (cancel_reason IS NULL)))),
    CONSTRAINT occurrences_completed CHECK (((status = 'COMPLETED'::text) = (completed_at IS NOT NULL))),
    CONSTRAINT occurrences_seats CHECK (((seats_taken >= 0) AND (seats_taken <= capacity))),
    CONSTRAINT occurrences_status_check CHECK ((status = ANY (ARRAY['SCHEDULED'::text, 'CANCELED'::text, 'COMPLETED'::text]))),
    CONSTRAINT occurrences_times CHECK ((starts_at < ends_at)),
    CONSTRAINT occurrences_waitlisted_check CHECK ((waitlisted >= 0))
)
WITH (fillfactor='80');

CREATE TABLE public.policies (
    version integer NOT NULL,
    since timestamp with time zone NOT NULL,
    return_policy text NOT NULL,
    expiry_mode text NOT NULL,
    expiry_after text,
    expiry_round_up_to text,
    expiry_on date,
    CONSTRAINT policies_expiry_after CHECK (((expiry_mode = ANY (ARRAY['AFTER_EARNING'::text, 'AFTER_ACTIVATION'::text, 'INACTIVITY'::text])) = (expiry_after IS NOT NULL))),
    CONSTRAINT policies_expiry_mode_check CHECK ((expiry_mode = ANY (ARRAY['NEVER'::text, 'AFTER_EARNING'::text, 'AFTER_ACTIVATION'::text, 'ON_DATE'::text, 'INACTIVITY'::text]))),
    CONSTRAINT policies_expiry_on CHECK (((expiry_mode = 'ON_DATE'::text) = (expiry_on IS NOT NULL))),
    CONSTRAINT policies_expiry_round_up_to_check CHECK ((expiry_round_up_to = ANY (ARRAY['MONTH'::text, 'YEAR'::text]))),
    CONSTRAINT policies_return_policy_check CHECK ((return_policy = ANY (ARRAY['MAY_GO_NEGATIVE'::text, 'WITHIN_BALANCE'::text, 'ONLY_PENDING'::text]))),
    CONSTRAINT policies_version_check CHECK ((version > 0))
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
    cost_per_point bigint,
    care jsonb DEFAULT '{}'::jsonb NOT NULL,
    CONSTRAINT program_cost_per_point_check CHECK ((cost_per_point >= 0)),
    CONSTRAINT program_singleton_check CHECK (singleton)
);

CREATE TABLE public.program_counters (
    rule_id uuid NOT NULL,
    period text NOT NULL,
    starts_on date NOT NULL,
    points bigint NOT NULL,
    times bigint NOT NULL,
    CONSTRAINT program_counters_period_check CHECK ((period = ANY (ARRAY['DAY'::text, 'WEEK'::text, 'MONTH'::text, 'YEAR'::text, 'LIFETIME'::text]))),
    CONSTRAINT program_counters_points_check CHECK ((points >= 0)),
    CONSTRAINT program_counters_times_check CHECK ((times >= 0))
)
WITH (fillfactor='80');

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

CREATE TABLE public.redemptions (
    member_id uuid NOT NULL,
    sequence bigint NOT NULL,
    id uuid NOT NULL,
    reward_id uuid NOT NULL,
    reward_name text NOT NULL,
    from_supply boolean NOT NULL,
    voucher_code text,
    redeemed_at timestamp with time zone NOT NULL,
    redeemed_by text NOT NULL,
    expires_at timestamp with time zone,
    used_at timestamp with time zone,
    used_by text,
    canceled_at timestamp with time zone,
    canceled_by text,
    cancel_reason text,
    cancel_sequence bigint,
    CONSTRAINT redemptions_canceled CHECK ((num_nonnulls(canceled_at, canceled_by, cancel_reason, cancel_sequence) = ANY (ARRAY[0, 4]))),
    CONSTRAINT redemptions_once CHECK (((used_at IS NULL) OR (canceled_at IS NULL))),
    CONSTRAINT redemptions_used CHECK (((used_at IS NULL) = (used_by IS NULL))),
    CONSTRAINT redemptions_voucher CHECK (((voucher_code IS NOT NULL) OR ((used_at IS NULL) AND (expires_at IS NULL))))
)
WITH (fillfactor='90');

CREATE TABLE public.referral_policies (
    version integer NOT NULL,
    since timestamp with time zone NOT NULL,
    referrer_points bigint,
    referee_points bigint,
    minimum bigint,
    within text,
    pending_for text,
    max_per_month integer,
    CONSTRAINT referral_policies_max_per_month_check CHECK ((max_per_month > 0)),
    CONSTRAINT referral_policies_minimum_check CHECK ((minimum > 0)),
    CONSTRAINT referral_policies_referee_points_check CHECK ((referee_points >= 0)),
    CONSTRAINT referral_policies_referrer_points_check CHECK ((referrer_points >= 0)),
    CONSTRAINT referral_policies_version_check CHECK ((version > 0)),
    CONSTRAINT referral_policies_whole CHECK ((num_nonnulls(referrer_points, referee_points, within, pending_for) = ANY (ARRAY[0, 4])))
);

CREATE TABLE public.referrals (
    referrer_id uuid NOT NULL,
    id uuid NOT NULL,
    referee_id uuid NOT NULL,
    status text NOT NULL,
    reason text,
    policy_version integer,
    signals text[] NOT NULL,
    referred_at timestamp with time zone NOT NULL,
    qualified_at timestamp with time zone,
    purchase_sequence bigint,
    rewarded_at timestamp with time zone,
    final_at timestamp with time zone,
    referrer_points bigint,
    referrer_sequence bigint,
    referee_points bigint,
    referee_sequence bigint,
    taken_back integer DEFAULT 0 NOT NULL,
    rejected_at timestamp with time zone,
    reviewed_at timestamp with time zone,
    reviewed_by text,
    review_note text,
    due boolean NOT NULL,
    CONSTRAINT referrals_others CHECK ((referrer_id <> referee_id)),
    CONSTRAINT referrals_qualified CHECK ((((qualified_at IS NULL) = (purchase_sequence IS NULL)) AND ((status <> ALL (ARRAY['QUALIFIED'::text, 'REWARDED'::text, 'UNDER_REVIEW'::text])) OR (qualified_at IS NOT NULL)) AND ((status <> 'JOINED'::text) OR (qualified_at IS NULL)))),
    CONSTRAINT referrals_reason_check CHECK ((reason = ANY (ARRAY['MONTHLY_LIMIT'::text, 'TOO_MANY_POINTS'::text, 'REVIEWED'::text]))),
    CONSTRAINT referrals_referee_points_check CHECK ((referee_points > 0)),
    CONSTRAINT referrals_referrer_points_check CHECK ((referrer_points > 0)),
    CONSTRAINT referrals_rejected CHECK ((((status = 'REJECTED'::text) = (rejected_at IS NOT NULL)) AND ((status = 'REJECTED'::text) = (reason IS NOT NULL)))),
    CONSTRAINT referrals_reviewed CHECK (((reviewed_at IS NULL) = (reviewed_by IS NULL))),
    CONSTRAINT referrals_rewarded CHECK (((num_nonnulls(rewarded_at, final_at) =
CASE status
    WHEN 'REWARDED'::text THEN 2
    ELSE 0
END) AND ((status = 'REWARDED'::text) OR (num_nonnulls(referrer_sequence, referee_sequence) = 0)) AND ((referrer_points IS NULL) = (referrer_sequence IS NULL)) AND ((referee_points IS NULL) = (referee_sequence IS NULL)))),
    CONSTRAINT referrals_status_check CHECK ((status = ANY (ARRAY['JOINED'::text, 'QUALIFIED'::text, 'REWARDED'::text, 'REJECTED'::text, 'UNDER_REVIEW'::text]))),
    CONSTRAINT referrals_taken_back_check CHECK ((taken_back >= 0))
)
WITH (fillfactor='80');

CREATE TABLE public.refused_addresses (
    member_id uuid NOT NULL,
    address_hash bytea NOT NULL,
    reason text NOT NULL,
    refused_at timestamp with time zone NOT NULL,
    CONSTRAINT refused_addresses_address_hash_check CHECK ((length(address_hash) = 32))
);

CREATE TABLE public.return_lines (
    member_id uuid NOT NULL,
    sequence bigint NOT NULL,
    purchase_sequence bigint NOT NULL,
    line integer NOT NULL,
    quantity bigint NOT NULL,
    amount bigint NOT NULL
);

CREATE TABLE public.rewards (
    id uuid NOT NULL,
    name text NOT NULL,
    kind text NOT NULL,
    cost bigint NOT NULL,
    supply bigint,
    taken bigint DEFAULT 0 NOT NULL,
    per_member_limit integer,
    min_tier_id uuid,
    available_from timestamp with time zone,
    available_until timestamp with time zone,
    voucher_valid_for text,
    created_at timestamp with time zone NOT NULL,
    archived_at timestamp with time zone,
    CONSTRAINT rewards_cost_check CHECK ((cost > 0)),
    CONSTRAINT rewards_kind_check CHECK ((kind = ANY (ARRAY['VOUCHER'::text, 'PRODUCT'::text, 'EXPERIENCE'::text]))),
    CONSTRAINT rewards_per_member_limit_check CHECK ((per_member_limit > 0)),
    CONSTRAINT rewards_stock CHECK ((taken <= supply)),
    CONSTRAINT rewards_supply_check CHECK ((supply >= 0)),
    CONSTRAINT rewards_taken_check CHECK ((taken >= 0)),
    CONSTRAINT rewards_voucher CHECK (((voucher_valid_for IS NULL) OR (kind = 'VOUCHER'::text))),
    CONSTRAINT rewards_window CHECK ((available_from < available_until))
)
WITH (fillfactor='80');

CREATE TABLE public.rule_absorptions (
    member_id uuid NOT NULL,
    sequence bigint NOT NULL,
    rule_id uuid NOT NULL,
    points bigint NOT NULL,
    CONSTRAINT rule_absorptions_points_check CHECK ((points > 0))
);

CREATE TABLE public.rule_counters (
    member_id uuid NOT NULL,
    rule_id uuid NOT NULL,
    period text NOT NULL,
    starts_on date NOT NULL,
    points bigint NOT NULL,
    times bigint NOT NULL,
    CONSTRAINT rule_counters_period_check CHECK ((period = ANY (ARRAY['DAY'::text, 'WEEK'::text, 'MONTH'::text, 'YEAR'::text, 'LIFETIME'::text]))),
    CONSTRAINT rule_counters_points_check CHECK ((points >= 0)),
    CONSTRAINT rule_counters_times_check CHECK ((times >= 0))
)
WITH (fillfactor='80');

CREATE TABLE public.rule_pauses (
    rule_id uuid NOT NULL,
    number integer NOT NULL,
    paused_at timestamp with time zone NOT NULL,
    resumed_at timestamp with time zone,
    CONSTRAINT rule_pauses_interval CHECK ((resumed_at >= paused_at)),
    CONSTRAINT rule_pauses_number_check CHECK ((number > 0))
);

CREATE TABLE public.rule_remainders (
    member_id uuid NOT NULL,
    rule_id uuid NOT NULL,
    points bigint NOT NULL,
    every bigint NOT NULL,
    remainder bigint NOT NULL,
    CONSTRAINT rule_remainders_every_check CHECK ((every > 0)),
    CONSTRAINT rule_remainders_points_check CHECK ((points > 0)),
    CONSTRAINT rule_remainders_remainder_check CHECK ((remainder >= 0))
)
WITH (fillfactor='80');

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
    pending_for text,
    pending_until_confirmed boolean DEFAULT false NOT NULL,
    expires_after text,
    award_line_condition text,
    award_carry_remainder boolean DEFAULT false NOT NULL,
    windows jsonb DEFAULT '[]'::jsonb NOT NULL,
    basis_before_discounts boolean DEFAULT false NOT NULL,
    basis_paid_with_points boolean DEFAULT false NOT NULL,
    limits jsonb DEFAULT '[]'::jsonb NOT NULL,
    budget bigint,
    stacking text DEFAULT 'ADD'::text NOT NULL,
    CONSTRAINT rule_versions_award_every_check CHECK ((award_every > 0)),
    CONSTRAINT rule_versions_award_fixed_check CHECK ((award_fixed > 0)),
    CONSTRAINT rule_versions_award_multiplier_check CHECK ((award_multiplier > 1000000)),
    CONSTRAINT rule_versions_award_points_check CHECK ((award_points > 0)),
    CONSTRAINT rule_versions_award_rounding_check CHECK ((award_rounding = ANY (ARRAY['FLOOR'::text, 'HALF_UP'::text, 'CEIL'::text]))),
    CONSTRAINT rule_versions_budget_check CHECK ((budget > 0)),
    CONSTRAINT rule_versions_one_award CHECK ((num_nonnulls(award_fixed, award_points, award_multiplier) = 1)),
    CONSTRAINT rule_versions_pending CHECK (((pending_for IS NULL) OR (NOT pending_until_confirmed))),
    CONSTRAINT rule_versions_per_amount CHECK ((num_nonnulls(award_points, award_every, award_rounding) = ANY (ARRAY[0, 3]))),
    CONSTRAINT rule_versions_per_line CHECK (((award_points IS NOT NULL) OR ((award_line_condition IS NULL) AND (NOT award_carry_remainder)))),
    CONSTRAINT rule_versions_published CHECK (((published_at IS NOT NULL) OR (effective_from IS NULL))),
    CONSTRAINT rule_versions_schedule CHECK ((ends_at > starts_at)),
    CONSTRAINT rule_versions_stacking_check CHECK ((stacking = ANY (ARRAY['ADD'::text, 'BEST_OF'::text, 'EXCLUSIVE'::text]))),
    CONSTRAINT rule_versions_version_check CHECK ((version > 0))
);

CREATE TABLE public.rules (
    id uuid NOT NULL,
    created_at timestamp with time zone NOT NULL,
    ended_at timestamp with time zone
);

CREATE TABLE public.scans (
    id uuid NOT NULL,
    occurrence_id uuid NOT NULL,
    booking_id uuid,
    result text NOT NULL,
    offline boolean NOT NULL,
    scanned_at timestamp with time zone NOT NULL,
    recorded_at timestamp with time zone NOT NULL,
    scanned_by text NOT NULL,
    CONSTRAINT scans_result_check CHECK ((result = ANY (ARRAY['ADMITTED'::text, 'ALREADY_IN'::text, 'NOT_BOOKED'::text, 'WRONG_OCCURRENCE'::text, 'CANCELED'::text, 'INVALID_TICKET'::text, 'TOO_EARLY'::text])))
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
    earned_tier_id uuid,
    grace_until timestamp with time zone,
    coming_tier_id uuid,
    coming_at timestamp with time zone,
    floor_tier_id uuid,
    floor_until timestamp with time zone,
    CONSTRAINT tier_moves_coming CHECK (((coming_tier_id IS NULL) = (coming_at IS NULL))),
    CONSTRAINT tier_moves_floor CHECK (((floor_tier_id IS NULL) = (floor_until IS NULL))),
    CONSTRAINT tier_moves_reason_check CHECK ((reason = ANY (ARRAY['ENROLLED'::text, 'REACHED'::text, 'STARTED'::text, 'LADDER_CHANGED'::text, 'PROTECTED'::text, 'REQUALIFIED'::text, 'KEPT'::text, 'LAPSED'::text, 'FLOOR_SET'::text, 'FLOOR_CLEARED'::text, 'FLOOR_ENDED'::text])))
);

CREATE TABLE public.tier_policies (
    version integer NOT NULL,
    since timestamp with time zone NOT NULL,
    period text NOT NULL,
    months integer,
    validity text NOT NULL,
    start text NOT NULL,
    downgrade text NOT NULL,
    grace text NOT NULL,
    CONSTRAINT tier_policies_downgrade_check CHECK ((downgrade = ANY (ARRAY['REQUALIFY'::text, 'ONE_STEP'::text, 'NEVER'::text]))),
    CONSTRAINT tier_policies_months CHECK (((period = 'ROLLING'::text) = (months IS NOT NULL))),
    CONSTRAINT tier_policies_months_check CHECK ((months > 0)),
    CONSTRAINT tier_policies_period_check CHECK ((period = ANY (ARRAY['ROLLING'::text, 'CALENDAR_YEAR'::text, 'MEMBERSHIP_YEAR'::text, 'LIFETIME'::text]))),
    CONSTRAINT tier_policies_start_check CHECK ((start = ANY (ARRAY['AT_ONCE'::text, 'NEXT_PERIOD'::text]))),
    CONSTRAINT tier_policies_version_check CHECK ((version > 0))
);

CREATE TABLE public.voucher_codes (
    code text NOT NULL COLLATE pg_catalog."C",
    member_id uuid NOT NULL,
    sequence bigint NOT NULL
);

CREATE TABLE public.waiting_returns (
    hash uuid NOT NULL,
    purchase_hash uuid NOT NULL,
    source text NOT NULL,
    external_id text NOT NULL,
    purchase_source text NOT NULL,
    purchase_external_id text NOT NULL,
    occurred_at timestamp with time zone NOT NULL,
    amount bigint,
    lines jsonb NOT NULL,
    recorded_at timestamp with time zone NOT NULL
);

ALTER TABLE ONLY public.accounts
    ADD CONSTRAINT accounts_pkey PRIMARY KEY (member_id);

ALTER TABLE ONLY public.activities
    ADD CONSTRAINT activities_pkey PRIMARY KEY (member_id, sequence);

ALTER TABLE ONLY public.activity_keys
    ADD CONSTRAINT activity_keys_pkey PRIMARY KEY (hash);

ALTER TABLE ONLY public.adjustment_caps
    ADD CONSTRAINT adjustment_caps_pkey PRIMARY KEY (role);

ALTER TABLE ONLY public.adjustments
    ADD CONSTRAINT adjustments_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.announced_expiries
    ADD CONSTRAINT announced_expiries_pkey PRIMARY KEY (member_id, expires_at);

ALTER TABLE ONLY public.attendances
    ADD CONSTRAINT attendances_pkey PRIMARY KEY (booking_id, number);

ALTER TABLE ONLY public.backtests
    ADD CONSTRAINT backtests_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.bookings
    ADD CONSTRAINT bookings_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.calendar_links
    ADD CONSTRAINT calendar_links_pkey PRIMARY KEY (member_id);

ALTER TABLE ONLY public.care_campaigns
    ADD CONSTRAINT care_campaigns_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.changes
    ADD CONSTRAINT changes_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.client_keys
    ADD CONSTRAINT client_keys_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.clients
    ADD CONSTRAINT clients_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.confirmations
    ADD CONSTRAINT confirmations_pkey PRIMARY KEY (member_id, sequence);

ALTER TABLE ONLY public.consents
    ADD CONSTRAINT consents_pkey PRIMARY KEY (member_id, sequence);

ALTER TABLE ONLY public.debts
    ADD CONSTRAINT debts_pkey PRIMARY KEY (member_id, sequence);

ALTER TABLE ONLY public.draws
    ADD CONSTRAINT draws_pkey PRIMARY KEY (member_id, entry_sequence, lot_sequence, posted_by);

ALTER TABLE ONLY public.entries
    ADD CONSTRAINT entries_pkey PRIMARY KEY (member_id, sequence);

ALTER TABLE ONLY public.evaluations
    ADD CONSTRAINT evaluations_pkey PRIMARY KEY (member_id, sequence);

ALTER TABLE ONLY public.event_organizers
    ADD CONSTRAINT event_organizers_pkey PRIMARY KEY (event_id, organizer);

ALTER TABLE ONLY public.events
    ADD CONSTRAINT events_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.gifts
    ADD CONSTRAINT gifts_pkey PRIMARY KEY (member_id, occasion_key);

ALTER TABLE ONLY public.happenings
    ADD CONSTRAINT happenings_pkey PRIMARY KEY (member_id, occasion, subject);

ALTER TABLE ONLY public.hearings
    ADD CONSTRAINT hearings_pkey PRIMARY KEY (member_id);

ALTER TABLE ONLY public.hold_draws
    ADD CONSTRAINT hold_draws_pkey PRIMARY KEY (member_id, hold_sequence, lot_sequence);

ALTER TABLE ONLY public.holds
    ADD CONSTRAINT holds_pkey PRIMARY KEY (member_id, sequence);

ALTER TABLE ONLY public.household_members
    ADD CONSTRAINT household_members_pkey PRIMARY KEY (member_id, household_id);

ALTER TABLE ONLY public.households
    ADD CONSTRAINT households_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.idempotency_keys
    ADD CONSTRAINT idempotency_keys_pkey PRIMARY KEY (hash);

ALTER TABLE ONLY public.job_runs
    ADD CONSTRAINT job_runs_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.jobs
    ADD CONSTRAINT jobs_pkey PRIMARY KEY (name);

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

ALTER TABLE ONLY public.messages
    ADD CONSTRAINT messages_once UNIQUE (member_id, occasion_key, channel);

ALTER TABLE ONLY public.messages
    ADD CONSTRAINT messages_pkey PRIMARY KEY (member_id, id);

ALTER TABLE ONLY public.notice_consumers
    ADD CONSTRAINT notice_consumers_pkey PRIMARY KEY (name);

ALTER TABLE ONLY public.notices
    ADD CONSTRAINT notices_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.occurrences
    ADD CONSTRAINT occurrences_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.occurrences
    ADD CONSTRAINT occurrences_planned_once UNIQUE (event_id, planned_local);

ALTER TABLE ONLY public.policies
    ADD CONSTRAINT policies_pkey PRIMARY KEY (version);

ALTER TABLE ONLY public.program_counters
    ADD CONSTRAINT program_counters_pkey PRIMARY KEY (rule_id, period, starts_on);

ALTER TABLE ONLY public.program
    ADD CONSTRAINT program_pkey PRIMARY KEY (singleton);

ALTER TABLE ONLY public.purchase_lines
    ADD CONSTRAINT purchase_lines_pkey PRIMARY KEY (member_id, sequence, line);

ALTER TABLE ONLY public.redemptions
    ADD CONSTRAINT redemptions_pkey PRIMARY KEY (member_id, sequence);

ALTER TABLE ONLY public.referral_policies
    ADD CONSTRAINT referral_policies_pkey PRIMARY KEY (version);

ALTER TABLE ONLY public.referrals
    ADD CONSTRAINT referrals_pkey PRIMARY KEY (referrer_id, id);

ALTER TABLE ONLY public.refused_addresses
    ADD CONSTRAINT refused_addresses_pkey PRIMARY KEY (member_id, address_hash);

ALTER TABLE ONLY public.return_lines
    ADD CONSTRAINT return_lines_pkey PRIMARY KEY (member_id, sequence, line);

ALTER TABLE ONLY public.rewards
    ADD CONSTRAINT rewards_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.rule_absorptions
    ADD CONSTRAINT rule_absorptions_pkey PRIMARY KEY (member_id, sequence, rule_id);

ALTER TABLE ONLY public.rule_counters
    ADD CONSTRAINT rule_counters_pkey PRIMARY KEY (member_id, rule_id, period, starts_on);

ALTER TABLE ONLY public.rule_pauses
    ADD CONSTRAINT rule_pauses_pkey PRIMARY KEY (rule_id, number);

ALTER TABLE ONLY public.rule_remainders
    ADD CONSTRAINT rule_remainders_pkey PRIMARY KEY (member_id, rule_id, points, every);

ALTER TABLE ONLY public.rule_versions
    ADD CONSTRAINT rule_versions_pkey PRIMARY KEY (rule_id, version);

ALTER TABLE ONLY public.rules
    ADD CONSTRAINT rules_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.scans
    ADD CONSTRAINT scans_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.schema_migrations
    ADD CONSTRAINT schema_migrations_pkey PRIMARY KEY (version);

ALTER TABLE ONLY public.signing_keys
    ADD CONSTRAINT signing_keys_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.tier_moves
    ADD CONSTRAINT tier_moves_pkey PRIMARY KEY (member_id, sequence);

ALTER TABLE ONLY public.tier_policies
    ADD CONSTRAINT tier_policies_pkey PRIMARY KEY (version);

ALTER TABLE ONLY public.voucher_codes
    ADD CONSTRAINT voucher_codes_pkey PRIMARY KEY (code);

ALTER TABLE ONLY public.waiting_returns
    ADD CONSTRAINT waiting_returns_pkey PRIMARY KEY (hash);

CREATE INDEX accounts_tier_ending ON public.accounts USING btree (tier_valid_until, member_id) WHERE (tier_valid_until IS NOT NULL);

CREATE INDEX accounts_to_review ON public.accounts USING btree (review_at) WHERE (review_at IS NOT NULL);

CREATE INDEX activities_by_purchase ON public.activities USING btree (member_id, purchase_sequence) WHERE (purchase_sequence IS NOT NULL);

CREATE INDEX adjustments_by_member ON public.adjustments USING btree (member_id, id);

CREATE INDEX adjustments_by_requester ON public.adjustments USING btree (requested_by, requested_at) WHERE ((status = 'POSTED'::text) AND (reviewed_at IS NULL));

CREATE INDEX adjustments_by_reverser ON public.adjustments USING btree (reversed_by, reversed_at) WHERE (reversed_at IS NOT NULL);

CREATE INDEX adjustments_by_status ON public.adjustments USING btree (status, id);

CREATE INDEX attendances_open ON public.attendances USING btree (occurrence_id, booking_id, number) WHERE (status = ANY (ARRAY['DUE'::text, 'REVOKING'::text]));

CREATE INDEX backtests_running ON public.backtests USING btree (id) WHERE (status = 'RUNNING'::text);

CREATE INDEX bookings_by_member ON public.bookings USING btree (member_id, id);

CREATE INDEX bookings_by_occurrence ON public.bookings USING btree (occurrence_id, id);

CREATE UNIQUE INDEX bookings_live ON public.bookings USING btree (occurrence_id, member_id) WHERE (status = ANY (ARRAY['REQUESTED'::text, 'CONFIRMED'::text, 'WAITLISTED'::text, 'OFFERED'::text, 'ATTENDED'::text, 'NO_SHOW'::text]));

CREATE INDEX bookings_missed ON public.bookings USING btree (member_id) WHERE (status = 'NO_SHOW'::text);

CREATE INDEX bookings_offered ON public.bookings USING btree (offer_expires_at) WHERE (status = 'OFFERED'::text);

CREATE INDEX bookings_waitlisted ON public.bookings USING btree (occurrence_id) WHERE (status = 'WAITLISTED'::text);

CREATE INDEX changes_by_object ON public.changes USING btree (object, id);

CREATE INDEX client_keys_by_client ON public.client_keys USING btree (client_id);

CREATE UNIQUE INDEX client_keys_current ON public.client_keys USING btree (client_id) WHERE (expires_at IS NULL);

CREATE UNIQUE INDEX clients_name ON public.clients USING btree (name) WHERE (revoked_at IS NULL);

CREATE INDEX consents_newest ON public.consents USING btree (member_id, class, channel, sequence DESC);

CREATE INDEX debts_open ON public.debts USING btree (member_id) WHERE open;

CREATE INDEX entries_by_activity ON public.entries USING btree (member_id, activity_sequence) WHERE (activity_sequence IS NOT NULL);

CREATE INDEX entries_by_operation ON public.entries USING btree (member_id, operation_id) WHERE (operation_id IS NOT NULL);

CREATE INDEX entries_by_reversed ON public.entries USING btree (member_id, reverses) WHERE (reverses IS NOT NULL);

CREATE INDEX entries_qualifying ON public.entries USING btree (member_id, qualifies_at) INCLUDE (qualifying) WHERE (qualifying <> 0);

CREATE INDEX event_organizers_by_organizer ON public.event_organizers USING btree (organizer);

CREATE INDEX events_by_owner ON public.events USING btree (owner);

CREATE INDEX events_to_materialize ON public.events USING btree (materialized_to) WHERE ((materialized_to IS NOT NULL) AND (status <> 'CANCELED'::text));

CREATE INDEX happenings_by_time ON public.happenings USING btree (occasion, at, member_id);

CREATE INDEX hearings_by_day ON public.hearings USING btree (heard_on, member_id);

CREATE INDEX holds_by_id ON public.holds USING btree (id);

CREATE INDEX holds_ending ON public.holds USING btree (ends_at) WHERE open;

CREATE INDEX holds_open_by_member ON public.holds USING btree (member_id) WHERE open;

CREATE INDEX household_members_by_household ON public.household_members USING btree (household_id);

CREATE UNIQUE INDEX job_runs_due ON public.job_runs USING btree (job, scheduled_for, attempt);

CREATE INDEX job_runs_newest ON public.job_runs USING btree (job, id);

CREATE UNIQUE INDEX job_runs_running ON public.job_runs USING btree (job) WHERE (status = 'RUNNING'::text);

CREATE UNIQUE INDEX ladder_tiers_name ON public.ladder_tiers USING btree (version, lower(name));

CREATE INDEX lots_expiring ON public.lots USING btree (expires_at) WHERE (open AND (expires_at IS NOT NULL));

CREATE INDEX lots_open ON public.lots USING btree (member_id) WHERE open;

CREATE INDEX members_by_birthday ON public.members USING btree (birthday, id) WHERE (birthday IS NOT NULL);

CREATE INDEX members_by_joining_day ON public.members USING btree (joining_day, id);

CREATE INDEX members_by_name ON public.members USING btree (lower(display_name) COLLATE "C");

CREATE INDEX members_by_origin ON public.members USING btree (locale, time_zone);

CREATE INDEX messages_by_campaign ON public.messages USING btree (campaign_id, status, reason) INCLUDE (uncertain);

CREATE INDEX messages_by_id ON public.messages USING btree (id);

CREATE INDEX messages_by_time ON public.messages USING btree (created_at);

CREATE INDEX messages_inbox ON public.messages USING btree (member_id, id) WHERE ((channel = 'INBOX'::text) AND (status = 'DELIVERED'::text));

CREATE INDEX messages_to_send ON public.messages USING btree (channel, due_at) WHERE (due_at IS NOT NULL);

CREATE INDEX messages_unread ON public.messages USING btree (member_id) WHERE ((channel = 'INBOX'::text) AND (status = 'DELIVERED'::text) AND (read_at IS NULL));

CREATE INDEX occurrences_by_event ON public.occurrences USING btree (event_id, starts_at, id);

CREATE INDEX occurrences_by_start ON public.occurrences USING btree (starts_at, id);

CREATE INDEX redemptions_by_id ON public.redemptions USING btree (id);

CREATE INDEX redemptions_kept ON public.redemptions USING btree (member_id, reward_id) WHERE (canceled_at IS NULL);

CREATE INDEX referrals_by_id ON public.referrals USING btree (id);

CREATE INDEX referrals_by_referee ON public.referrals USING btree (referee_id);

CREATE INDEX referrals_by_status ON public.referrals USING btree (status, id);

CREATE INDEX referrals_by_time ON public.referrals USING btree (referrer_id, referred_at, id);

CREATE INDEX referrals_due ON public.referrals USING btree (id) WHERE due;

CREATE INDEX return_lines_by_purchase ON public.return_lines USING btree (member_id, purchase_sequence);

CREATE UNIQUE INDEX rule_pauses_open ON public.rule_pauses USING btree (rule_id) WHERE (resumed_at IS NULL);

CREATE INDEX scans_by_occurrence ON public.scans USING btree (occurrence_id, id);

CREATE UNIQUE INDEX signing_keys_signing ON public.signing_keys USING btree ((true)) WHERE (private IS NOT NULL);

CREATE INDEX tier_moves_by_ladder ON public.tier_moves USING btree (ladder_version) WHERE (reason = 'LADDER_CHANGED'::text);

CREATE INDEX waiting_returns_by_purchase ON public.waiting_returns USING btree (purchase_hash);

CREATE TRIGGER activities_append_only BEFORE DELETE OR UPDATE ON public.activities FOR EACH ROW EXECUTE FUNCTION public.refuse_change();

CREATE TRIGGER activities_never_truncated BEFORE TRUNCATE ON public.activities FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();

CREATE TRIGGER bookings_never_deleted BEFORE DELETE ON public.bookings FOR EACH ROW EXECUTE FUNCTION public.refuse_change();

CREATE TRIGGER bookings_never_truncated BEFORE TRUNCATE ON public.bookings FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();

CREATE TRIGGER consents_append_only BEFORE DELETE OR UPDATE ON public.consents FOR EACH ROW EXECUTE FUNCTION public.refuse_change();

CREATE TRIGGER consents_never_truncated BEFORE TRUNCATE ON public.consents FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();

CREATE TRIGGER entries_append_only BEFORE DELETE OR UPDATE ON public.entries FOR EACH ROW EXECUTE FUNCTION public.refuse_change();

CREATE TRIGGER entries_never_truncated BEFORE TRUNCATE ON public.entries FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();

CREATE TRIGGER rule_pauses_never_deleted BEFORE DELETE OR TRUNCATE ON public.rule_pauses FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();

CREATE TRIGGER rule_pauses_resumed_once BEFORE UPDATE ON public.rule_pauses FOR EACH ROW WHEN ((old.resumed_at IS NOT NULL)) EXECUTE FUNCTION public.refuse_change();

CREATE TRIGGER rule_versions_never_deleted BEFORE DELETE OR TRUNCATE ON public.rule_versions FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();

CREATE TRIGGER rule_versions_published_never_change BEFORE DELETE OR UPDATE ON public.rule_versions FOR EACH ROW EXECUTE FUNCTION public.refuse_published_change();

CREATE TRIGGER rules_ended_for_ever BEFORE UPDATE ON public.rules FOR EACH ROW WHEN ((old.ended_at IS NOT NULL)) EXECUTE FUNCTION public.refuse_change();

CREATE TRIGGER rules_never_deleted BEFORE DELETE OR TRUNCATE ON public.rules FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();

CREATE TRIGGER scans_append_only BEFORE DELETE OR UPDATE ON public.scans FOR EACH ROW EXECUTE FUNCTION public.refuse_change();

CREATE TRIGGER scans_never_truncated BEFORE TRUNCATE ON public.scans FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();

CREATE TRIGGER tier_moves_append_only BEFORE DELETE OR UPDATE ON public.tier_moves FOR EACH ROW EXECUTE FUNCTION public.refuse_change();

CREATE TRIGGER tier_moves_never_truncated BEFORE TRUNCATE ON public.tier_moves FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();

ALTER TABLE ONLY public.backtests
    ADD CONSTRAINT backtests_replaces_fkey FOREIGN KEY (replaces) REFERENCES public.rules(id);

ALTER TABLE ONLY public.client_keys
    ADD CONSTRAINT client_keys_client_id_fkey FOREIGN KEY (client_id) REFERENCES public.clients(id);

ALTER TABLE ONLY public.ladder_tiers
    ADD CONSTRAINT ladder_tiers_version_fkey FOREIGN KEY (version) REFERENCES public.ladders(version);

ALTER TABLE ONLY public.rule_pauses
    ADD CONSTRAINT rule_pauses_rule_id_fkey FOREIGN KEY (rule_id) REFERENCES public.rules(id);

ALTER TABLE ONLY public.rule_versions
    ADD CONSTRAINT rule_versions_rule_id_fkey FOREIGN KEY (rule_id) REFERENCES public.rules(id);
