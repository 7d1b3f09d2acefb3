-- What was done to one row, the latest first.

CREATE INDEX audit_log_of_object ON audit_log (tenant_id, object, at, id);
