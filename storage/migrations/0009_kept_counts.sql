-- What pages count is kept where it changes, so that a page costs the same however much there is to count.

-- How a work package stands to its project's trackers (tracker::mapping); '' until that was looked at.
ALTER TABLE work_packages ADD COLUMN mapping TEXT NOT NULL DEFAULT '';
-- The first link that speaks of it decides. One without a mission speaks of those of open missions, or of all
-- where every one is closed.
UPDATE work_packages AS w SET mapping = CASE COALESCE((
    SELECT l.state FROM tracker_links l WHERE l.tenant_id = w.tenant_id AND l.project_id = w.project_id
      AND l.wp_id = w.wp_id AND l.binding_id IN (SELECT b.id FROM tracker_bindings b
        WHERE b.tenant_id = w.tenant_id AND b.project_id = w.project_id AND b.state <> 'deleted')
      AND (l.mission = w.mission AND l.mission <> '' OR l.mission = '' AND (
        w.mission = '' OR NOT EXISTS (SELECT 1 FROM closed_missions m WHERE m.tenant_id = w.tenant_id
          AND m.project_id = w.project_id AND m.mission = w.mission)
        OR NOT EXISTS (SELECT 1 FROM work_packages o WHERE o.tenant_id = w.tenant_id
          AND o.project_id = w.project_id AND o.wp_id = w.wp_id
          AND (o.mission = '' OR NOT EXISTS (SELECT 1 FROM closed_missions n WHERE n.tenant_id = o.tenant_id
            AND n.project_id = o.project_id AND n.mission = o.mission)))))
    ORDER BY l.mission, l.id LIMIT 1), '')
  WHEN '' THEN 'not_mapped' WHEN 'ambiguous' THEN 'ambiguous' ELSE 'mapped' END;
CREATE INDEX work_packages_of_mapping ON work_packages (tenant_id, project_id, mapping, wp_id, mission);

ALTER TABLE projects ADD COLUMN work_packages INTEGER NOT NULL DEFAULT 0;
ALTER TABLE projects ADD COLUMN mapped INTEGER NOT NULL DEFAULT 0;
ALTER TABLE projects ADD COLUMN ambiguous INTEGER NOT NULL DEFAULT 0;
UPDATE projects AS p SET
  work_packages = (SELECT COUNT(*) FROM work_packages w WHERE w.tenant_id = p.tenant_id AND w.project_id = p.id),
  mapped = (SELECT COUNT(*) FROM work_packages w WHERE w.tenant_id = p.tenant_id AND w.project_id = p.id
    AND w.mapping = 'mapped'),
  ambiguous = (SELECT COUNT(*) FROM work_packages w WHERE w.tenant_id = p.tenant_id AND w.project_id = p.id
    AND w.mapping = 'ambiguous');

-- A binding's open drift by kind, as a JSON object; what is not named is 0.
ALTER TABLE tracker_bindings ADD COLUMN drift_open TEXT NOT NULL DEFAULT '{}';
UPDATE tracker_bindings AS b SET drift_open = (SELECT
    '{"duplicate_claim":' || SUM(CASE d.kind WHEN 'duplicate_claim' THEN 1 ELSE 0 END)
    || ',"orphan_link":' || SUM(CASE d.kind WHEN 'orphan_link' THEN 1 ELSE 0 END)
    || ',"ambiguous_mapping":' || SUM(CASE d.kind WHEN 'ambiguous_mapping' THEN 1 ELSE 0 END)
    || ',"missing_external":' || SUM(CASE d.kind WHEN 'missing_external' THEN 1 ELSE 0 END)
    || ',"status_mismatch":' || SUM(CASE d.kind WHEN 'status_mismatch' THEN 1 ELSE 0 END)
    || ',"title_mismatch":' || SUM(CASE d.kind WHEN 'title_mismatch' THEN 1 ELSE 0 END)
    || ',"assignee_mismatch":' || SUM(CASE d.kind WHEN 'assignee_mismatch' THEN 1 ELSE 0 END)
    || ',"priority_mismatch":' || SUM(CASE d.kind WHEN 'priority_mismatch' THEN 1 ELSE 0 END)
    || ',"unmapped_value":' || SUM(CASE d.kind WHEN 'unmapped_value' THEN 1 ELSE 0 END)
    || ',"stale_snapshot":' || SUM(CASE d.kind WHEN 'stale_snapshot' THEN 1 ELSE 0 END) || '}'
    FROM tracker_drift d WHERE d.tenant_id = b.tenant_id AND d.binding_id = b.id AND d.state = 'open')
  WHERE EXISTS (SELECT 1 FROM tracker_drift d WHERE d.tenant_id = b.tenant_id AND d.binding_id = b.id
    AND d.state = 'open');

-- Drift that opened and ended on a UTC day (milliseconds / 86400000).
CREATE TABLE tracker_drift_days (
  tenant_id TEXT NOT NULL,
  project_id TEXT NOT NULL,
  day INTEGER NOT NULL,
  opened INTEGER NOT NULL,
  resolved INTEGER NOT NULL,
  PRIMARY KEY (tenant_id, project_id, day),
  FOREIGN KEY (tenant_id, project_id) REFERENCES projects (tenant_id, id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
INSERT INTO tracker_drift_days (tenant_id, project_id, day, opened, resolved)
  SELECT tenant_id, project_id, day, SUM(opened), SUM(resolved) FROM (
    SELECT tenant_id, project_id, opened_at / 86400000 AS day, 1 AS opened, 0 AS resolved FROM tracker_drift
    UNION ALL SELECT tenant_id, project_id, resolved_at / 86400000, 0, 1 FROM tracker_drift
      WHERE resolved_at IS NOT NULL) AS ends
  GROUP BY tenant_id, project_id, day;
DROP INDEX tracker_drift_resolved;

-- The feed by time: rows of a feed are never older than those before them.
ALTER TABLE feeds ADD COLUMN recorded_at INTEGER NOT NULL DEFAULT 0;
CREATE INDEX activity_by_time ON activity (tenant_id, recorded_at, seq);
