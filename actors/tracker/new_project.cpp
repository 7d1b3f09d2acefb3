#include "actors/tracker/new_project.hpp"

#include "storage/tracker/projects.hpp"

namespace connectord::tracker {

result<project> make_project(change& c, const uuid& project_uuid, const std::string& slug) {
  project made{project_id::make(), project_uuid, slug, slug, c.now, c.now};
  const auto short_id = std::string{project_uuid.text().substr(0, 8)};
  for (const auto& candidate : {slug, slug + '-' + short_id, slug + '-' + project_uuid.str()}) {
    const auto holder = storage::find_project_by_slug(c.db, c.tenant, candidate);
    if (!holder) return holder.error();
    made.slug = candidate;
    if (!*holder) break;
  }
  if (const auto stored = storage::insert_project(c.db, c.tenant, made); !stored) return stored.error();
  return made;
}

}  // namespace connectord::tracker
