-- Of what lapses since the member was not heard of: when that was.
alter table announced_expiries add column heard_at timestamptz;
