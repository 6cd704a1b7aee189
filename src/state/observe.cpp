#include "hash_reader.hpp"
#include "payload.hpp"

#include "chargifyd/chargify/timestamp.hpp"

#include <algorithm>
#include <initializer_list>

namespace chargifyd::state {

namespace {

using chargify::envelope;
using chargify::form;
using index = form::index;

constexpr std::string_view payment_profile_hashes[] = {"credit_card", "bank_account", "paypal_account"};

value integer_or_null(std::optional<std::int64_t> number)
{
    return number ? value(*number) : value();
}

value text_or_null(std::optional<std::string_view> text)
{
    return text ? value(chargify::clean_utf8(*text)) : value();
}

std::optional<std::int64_t> positive(const form& tree, index parent, std::string_view key)
{
    const auto found = tree.integer(parent, key);
    return found && *found > 0 ? found : std::nullopt;
}

std::optional<std::int64_t> seconds_at(const form& tree, index parent, std::string_view key)
{
    const auto text = tree.text(parent, key);
    const auto when = text ? chargify::parse_timestamp(*text) : std::nullopt;
    return when ? std::optional(when->time_since_epoch().count()) : std::nullopt;
}

/// Collects the observations of one payload.
class observer {
public:
    explicit observer(const envelope& e)
        : e_(e)
        , tree_(e.tree)
    {}

    std::vector<observation> observe_all();

private:
    void observe_subscription();
    void observe_customer();
    void observe_product(index hash, index family);
    /// Where a transaction stands: only its own event tells all of it.
    enum class teller { event, statement, allocation };
    void observe_transaction(index hash, teller by);
    void observe_statement();
    void observe_invoice(index hash);
    void observe_component();
    void observe_price_point();
    void observe_payment_profile(index hash, std::string_view type);
    void observe_payment_profiles();
    void observe_custom_field();
    void observe_group();
    void observe_refund();
    void observe_dunning();

    observation make(object_kind kind, object_key key, bool full, std::int64_t clock = 0) const;
    /// The hash carries its own clock and is the whole object.
    bool has_clock(index hash) const;
    bool are_hashes(index list) const;
    void keep(observation seen) { all_.push_back(std::move(seen)); }
    void set_owner(hash_reader& reader, index hash) const;

    const envelope& e_;
    const form& tree_;
    std::vector<observation> all_;
};

observation observer::make(object_kind kind, object_key key, bool full, std::int64_t clock) const
{
    observation seen;
    seen.kind = kind;
    seen.key = std::move(key);
    seen.full = full;
    seen.updated_at = clock;
    return seen;
}

bool observer::has_clock(index hash) const
{
    return seconds_at(tree_, hash, "updated_at") && tree_.value(hash, "created_at");
}

/// Of an object that belongs to a subscription: whose it is, unless it says so itself.
void observer::set_owner(hash_reader& reader, index hash) const
{
    if (!tree_.text(hash, "subscription_id"))
        reader.set("subscription_id", integer_or_null(e_.subscription_id));
    if (!tree_.text(hash, "customer_id"))
        reader.set("customer_id", integer_or_null(e_.customer_id));
}

void observer::observe_subscription()
{
    if (!e_.subscription_id)
        return;
    const index hash =
        positive(tree_, e_.subscription, "id") == e_.subscription_id ? e_.subscription : form::none;
    const bool full = has_clock(hash) && tree_.value(hash, "state");
    observation seen = make(object_kind::subscription, {*e_.subscription_id}, full,
                            full ? *seconds_at(tree_, hash, "updated_at") : 0);
    hash_reader reader(tree_, seen);
    reader.read(hash, {"customer", "product"});
    if (hash != form::none) {
        reader.set("customer_id", integer_or_null(e_.customer_id));
        // A patch that names the product without its handle would leave the two columns disagreeing.
        const auto handle = tree_.text(e_.product, "handle");
        if (full || (e_.product_id && handle))
            reader.set("product_id", integer_or_null(e_.product_id))
                .set("product_handle", text_or_null(handle));
        for (const std::string_view name : payment_profile_hashes) {
            if (const auto id = positive(tree_, tree_.branch(hash, name), "id"))
                reader.set("payment_profile_id", *id);
        }
        if (const auto id = positive(tree_, tree_.branch(e_.payload, "updated_payment_profile"), "id"))
            reader.set("payment_profile_id", *id);
        if (const auto uid = tree_.text(tree_.branch(hash, "group"), "uid"))
            reader.set("group_uid", text_or_null(uid));
    }
    reader.read_key(e_.payload, "prepayment_account_balance_in_cents", "prepayment_balance_in_cents")
        .read_key(e_.payload, "service_credit_account_balance_in_cents", "credit_balance_in_cents");
    if (tree_.text(e_.payload, "item_type") == "Product")
        reader.set("product_price_point_id",
                   integer_or_null(tree_.integer(tree_.branch(e_.payload, "current_price_point"), "id")));
    if (e_.event == "subscription_deletion")
        reader.set("deleted", std::int64_t{1});
    if (e_.event == "subscription_added_to_group")
        reader.set("group_uid",
                   text_or_null(tree_.text(tree_.branch(e_.payload, "subscription_group"), "uid")));
    if (e_.event == "payment_collection_method_changed")
        reader.read_key(e_.payload, "current_value", "payment_collection_method");
    reader.finish();
    const bool says_something =
        hash != form::none || std::ranges::any_of(seen.columns, [](const value& v) { return v != value(); });
    if (says_something)
        keep(std::move(seen));
}

void observer::observe_customer()
{
    const auto id = positive(tree_, e_.customer, "id");
    if (!id)
        return;
    const bool full = has_clock(e_.customer);
    observation seen =
        make(object_kind::customer, {*id}, full, full ? *seconds_at(tree_, e_.customer, "updated_at") : 0);
    hash_reader reader(tree_, seen);
    reader.read(e_.customer);
    if (e_.event == "customer_delete")
        reader.set("deleted", std::int64_t{1});
    reader.finish();
    keep(std::move(seen));
}

void observer::observe_product(index hash, index family)
{
    const auto id = positive(tree_, hash, "id");
    if (!id)
        return;
    const bool full = has_clock(hash);
    observation seen =
        make(object_kind::product, {*id}, full, full ? *seconds_at(tree_, hash, "updated_at") : 0);
    hash_reader reader(tree_, seen);
    reader.read(hash);
    reader.set("family_id", integer_or_null(tree_.integer(family, "id")))
        .set("family_handle", text_or_null(tree_.text(family, "handle")));
    reader.finish();
    keep(std::move(seen));
}

void observer::observe_transaction(index hash, teller by)
{
    const auto id = positive(tree_, hash, "id");
    if (!id)
        return;
    const auto type = tree_.text(hash, "type");
    const auto other_type = tree_.text(hash, "transaction_type"); // the same word in lower case
    const bool full = by == teller::event && seconds_at(tree_, hash, "created_at") && (type || other_type);
    observation seen = make(object_kind::transaction, {*id}, full);
    hash_reader reader(tree_, seen);
    reader.read(hash);
    set_owner(reader, hash);
    if (!type && other_type) {
        std::string word = chargify::clean_utf8(*other_type);
        if (word.front() >= 'a' && word.front() <= 'z')
            word.front() = static_cast<char>(word.front() - 'a' + 'A');
        reader.set("type", word);
    } else if (!type && by == teller::allocation) {
        reader.set("type", "Payment");
    }
    reader.finish();
    keep(std::move(seen));
}

/// Whether the children of a list are one hash each, as in `[transactions][0][id]`.
bool observer::are_hashes(index list) const
{
    if (list == form::none)
        return false;
    for (index i = tree_.at(list).first_child; i != form::none; i = tree_.at(i).next_sibling) {
        if (!tree_.at(i).is_branch || tree_.at(i).key.empty())
            return false;
    }
    return true;
}

void observer::observe_statement()
{
    const index hash = tree_.branch(e_.payload, "statement");
    const index transactions = tree_.branch(hash, "transactions");
    const bool listed = are_hashes(transactions);
    if (const auto id = positive(tree_, hash, "id")) {
        const bool full = has_clock(hash);
        observation seen =
            make(object_kind::statement, {*id}, full, full ? *seconds_at(tree_, hash, "updated_at") : 0);
        hash_reader reader(tree_, seen);
        // Rows of their own; in a form that does not tell one from the other they stay here.
        reader.read(hash, {listed ? "transactions" : ""});
        set_owner(reader, hash);
        reader.finish();
        keep(std::move(seen));
    }
    if (!listed)
        return;
    for (index i = tree_.at(transactions).first_child; i != form::none; i = tree_.at(i).next_sibling)
        observe_transaction(i, teller::statement);
}

void observer::observe_invoice(index hash)
{
    const auto uid = tree_.text(hash, "uid");
    if (!uid)
        return;
    const auto clock = seconds_at(tree_, hash, "updated_at");
    observation seen =
        make(object_kind::invoice, {chargify::clean_utf8(*uid)}, clock.has_value(), clock.value_or(0));
    hash_reader reader(tree_, seen);
    reader.read(hash, {"uid", "site", "event_id", "subscription", "customer", "product", "product_family"});
    set_owner(reader, hash);
    reader.finish();
    keep(std::move(seen));
}

/// Component events name what changed outside the component's hash.
void observer::observe_component()
{
    const index hash = tree_.branch(e_.payload, "component");
    const auto id = positive(tree_, hash, "id");
    if (!id || !e_.subscription_id)
        return;
    observation seen = make(object_kind::component, {*e_.subscription_id, *id}, false,
                            seconds_at(tree_, e_.payload, "timestamp").value_or(0));
    hash_reader reader(tree_, seen);
    reader.read(hash)
        .read_key(e_.payload, "new_unit_balance", "unit_balance")
        .read_key(e_.payload, "new_overage_unit_balance", "overage_unit_balance")
        .read_key(e_.payload, "timestamp", "updated_at")
        .read_key(e_.payload, "price_point_id")
        .read_key(e_.payload, "allocation")
        .read_key(e_.payload, "allocation_details")
        .read_key(e_.payload, "transaction_exchange_rate")
        .read_key(e_.payload, "memo");
    if (const auto quantity = tree_.text(e_.payload, "new_allocation")) {
        if (auto converted = convert(column_kind::decimal, quantity_text(*quantity)))
            reader.set("quantity", std::move(*converted));
        else
            reader.read_key(e_.payload, "new_allocation");
    }
    reader.finish();
    keep(std::move(seen));
}

void observer::observe_price_point()
{
    const auto type = tree_.text(e_.payload, "item_type");
    const auto id = positive(tree_, e_.payload, "item_id");
    if (!type || !type->ends_with("Component") || !id || !e_.subscription_id)
        return;
    const index point = tree_.branch(e_.payload, "current_price_point");
    observation seen = make(object_kind::component, {*e_.subscription_id, *id}, false,
                            seconds_at(tree_, e_.payload, "timestamp").value_or(0));
    hash_reader reader(tree_, seen);
    reader.read_key(e_.payload, "item_name", "name")
        .read_key(e_.payload, "item_handle", "handle")
        .read_key(point, "id", "price_point_id")
        .read_key(point, "name", "price_point_name")
        .read_key(point, "handle", "price_point_handle");
    reader.finish();
    keep(std::move(seen));
}

value last_four(const form& tree, index hash)
{
    for (const char* const key : {"masked_card_number", "masked_bank_account_number"}) {
        const std::string_view digits = last_digits(tree.text(hash, key).value_or(std::string_view()));
        if (!digits.empty())
            return std::string(digits);
    }
    return {};
}

void observer::observe_payment_profile(index hash, std::string_view type)
{
    const auto id = positive(tree_, hash, "id");
    if (!id)
        return;
    // The hash inside a subscription is whole; notices carry a name and an address only.
    const bool full = tree_.value(hash, "customer_id") && tree_.value(hash, "current_vault");
    observation seen = make(object_kind::payment_profile, {*id}, full);
    hash_reader reader(tree_, seen);
    reader.read(hash);
    reader.set("last_four", last_four(tree_, hash));
    if (!tree_.text(hash, "customer_id"))
        reader.set("customer_id", integer_or_null(e_.customer_id));
    if (!type.empty() && !tree_.text(hash, "payment_type"))
        reader.set("payment_type", std::string(type));
    reader.finish();
    keep(std::move(seen));
}

void observer::observe_payment_profiles()
{
    for (const std::string_view name : payment_profile_hashes)
        observe_payment_profile(tree_.branch(e_.subscription, name), name);
    observe_payment_profile(tree_.branch(e_.payload, "payment_profile"), {});
    observe_payment_profile(tree_.branch(e_.payload, "updated_payment_profile"), {});
}

void observer::observe_custom_field()
{
    const index hash = tree_.branch(e_.payload, "metafield");
    const auto type = tree_.text(hash, "resource_type");
    const auto id = positive(tree_, hash, "resource_id");
    const auto name = tree_.text(hash, "metafield_name");
    if (!type || !id || !name)
        return;
    observation seen = make(object_kind::custom_field,
                            {chargify::clean_utf8(*type), *id, chargify::clean_utf8(*name)}, true);
    const auto new_value = tree_.text(hash, "new_value");
    hash_reader reader(tree_, seen);
    reader.read(hash,
                {"resource_type", "resource_id", "metafield_name", "event_type", "old_value", "new_value"});
    // Here alone Chargify writes nil as a word.
    reader.set("value", new_value == "nil" ? value() : text_or_null(new_value));
    reader.set("deleted", std::int64_t{tree_.text(hash, "event_type") == "deleted"});
    reader.finish();
    keep(std::move(seen));
}

void observer::observe_group()
{
    for (const index hash : {tree_.branch(e_.subscription, "group"), tree_.branch(e_.payload, "group"),
                             tree_.branch(e_.payload, "subscription_group"), e_.payload}) {
        const auto uid = tree_.text(hash, "uid");
        if (!uid || (hash == e_.payload && e_.event.find("subscription_group") == std::string_view::npos))
            continue;
        observation seen = make(object_kind::subscription_group, {chargify::clean_utf8(*uid)},
                                tree_.text(hash, "scheme").has_value());
        hash_reader reader(tree_, seen);
        // `primary` tells of the subscription, not of the group.
        reader.read(hash, {"uid", "primary", "site", "event_id", "subscription", "customer", "state"});
        reader.finish();
        keep(std::move(seen));
    }
}

void observer::observe_refund()
{
    const auto id = positive(tree_, e_.payload, "refund_id");
    if (!id)
        return;
    observation seen = make(object_kind::refund, {*id}, true);
    hash_reader reader(tree_, seen);
    reader.read(e_.payload, {"refund_id", "site", "event_id", "subscription", "customer", "timestamp"});
    reader.read_key(e_.payload, "timestamp", "created_at");
    set_owner(reader, e_.payload);
    const bool failed = e_.event == "refund_failure" ||
                        (e_.event != "refund_success" && tree_.text(e_.payload, "errors").has_value());
    reader.set("success", std::int64_t{!failed});
    reader.finish();
    keep(std::move(seen));
}

void observer::observe_dunning()
{
    const index hash = tree_.branch(e_.payload, "dunner");
    if (hash == form::none || !e_.subscription_id)
        return;
    observation seen = make(object_kind::dunning, {*e_.subscription_id}, true);
    const index step = tree_.branch(e_.payload, "current_step");
    const index next = tree_.branch(e_.payload, "next_step");
    hash_reader reader(tree_, seen);
    reader.read(hash, {"subscription_id"})
        .read_key(step, "day_threshold", "step_day")
        .read_key(step, "action", "step_action")
        .read_key(next, "day_threshold", "next_step_day")
        .read_key(next, "action", "next_step_action")
        .read_key(e_.payload, "current_step")
        .read_key(e_.payload, "next_step");
    reader.finish();
    keep(std::move(seen));
}

std::vector<observation> observer::observe_all()
{
    observe_subscription();
    observe_customer();
    index family = tree_.branch(e_.product, "product_family");
    if (family == form::none)
        family = tree_.branch(e_.payload, "product_family");
    observe_product(e_.product, family);
    for (const char* const other : {"previous_product", "target_product"}) {
        const index hash = tree_.branch(e_.payload, other);
        observe_product(hash, tree_.branch(hash, "product_family"));
    }
    observe_transaction(tree_.branch(e_.payload, "transaction"), teller::event);
    observe_transaction(tree_.branch(e_.payload, "payment"), teller::allocation);
    observe_statement();
    observe_invoice(tree_.branch(e_.payload, "invoice"));
    if (const auto uid = tree_.text(e_.payload, "uid"))
        if (uid->starts_with("inv_") || e_.event.find("invoice") != std::string_view::npos)
            observe_invoice(e_.payload);
    observe_component();
    observe_price_point();
    observe_payment_profiles();
    observe_custom_field();
    observe_group();
    observe_refund();
    observe_dunning();
    return std::move(all_);
}

} // namespace

std::vector<observation> observe(const envelope& e)
{
    return observer(e).observe_all();
}

} // namespace chargifyd::state
