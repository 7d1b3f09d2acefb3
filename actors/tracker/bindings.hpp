#pragma once

#include "actors/protocol/tracker.hpp"
#include "actors/tracker/binding_change.hpp"

#include <optional>
#include <string>

/// Bindings and what routes to them (contract tracker-api, 3.2, 3.3).
namespace connectord::tracker {

/// PROJECT_NOT_FOUND. By its id, or its project_uuid.
result<project> project_of(change& c, const uuid& id_or_uuid);

/// A binding that is not there yet, without any snapshot.
result<binding_change> make_binding(change& c, const project& owner, tracker::provider provider,
                                    std::string workspace, binding_state state, binding_origin origin,
                                    binding_id id = binding_id::make());
/// The project's of that workspace, active: made if it has none, else brought into that state. Not concluded.
result<binding_change> bind(change& c, const project& owner, tracker::provider provider,
                            std::string workspace, binding_origin origin);
/// The mapping of the tuple to the binding, active; ALREADY_BOUND when it is another's. A row that is made
/// gets `fresh` as its id.
result<resource> map_resource(binding_change& b, const resource_key& key,
                              resource_id fresh = resource_id::make());
/// Notes the tuple that a snapshot named, on the binding that it landed on.
result<> discover_resource(binding_change& b, const resource_key& key);

result<binding_view> create(change& c, const create_binding& asked);
result<binding_view> patch(change& c, const patch_binding& asked);
result<> remove(change& c, const delete_binding& asked);
result<resource> create(change& c, const create_resource& asked);
result<resource> patch(change& c, const patch_resource& asked);
result<> remove(change& c, const delete_resource& asked);

/// Bindings that are due because of their age alone.
result<> check(change& c);

}  // namespace connectord::tracker
