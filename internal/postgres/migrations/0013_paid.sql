-- The part of a purchase's total that was paid with points, in minor units; null: none was said.
alter table activities add column paid_with_points bigint;
alter table activities add constraint activities_paid
    check (paid_with_points is null or total is not null and paid_with_points between 0 and total);
