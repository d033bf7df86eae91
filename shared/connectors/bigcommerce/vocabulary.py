"""The words that BigCommerce's own error messages are made of, and the names of its fields.

Taken from its documentation and recorded answers. No name of a person or place belongs here:
whatever is not listed is masked.
"""


def _set_of(text: str) -> frozenset[str]:
    return frozenset(text.split())


FIELDS = _set_of(
    """
    id email first_name last_name company phone notes registration_ip_address tax_exempt_category
    customer_group_id date_created date_modified address_count attribute_count addresses address1
    address2 city state_or_province postal_code country_code country address_type attributes
    attribute_id attribute_value value customer_id form_fields origin_channel_id channel_ids
    channel_id customer_create customer_update customer_address attribute_values customer_values
    namespace key permission_set resource_id resource_type metafield metafields limit page after
    before include sort authentication store_credit_amounts errMsg extraFields fieldName fieldValue
    companyId companyName companyEmail companyPhone companyStatus customerGroupId addressId
    externalId isBilling isShipping isDefaultBilling isDefaultShipping label firstName lastName
    phoneNumber zipCode stateCode stateName countryCode countryName addressLine1 addressLine2
    minModified orderBy sortBy offset isIncludeExtraFields uuid role userId customerId data
    """
)

WORDS = _set_of(
    """
    a an the is are be been was were has have had and or of in on at to for from with by as it
    this that no not than more less least most must should may can cannot could only same such
    already exists exist use associated another other any all each both either invalid valid value
    values type expected required requires missing unknown unsupported unauthorized forbidden
    denied allowed allow permission permissions scope scopes token tokens access api app client
    plan limit limits limited maximum minimum max min size length characters character long short
    too many few requests request rate exceeded exceeds wait retry later time window store shop
    channel channels storefront customer customers address addresses attribute attributes field
    fields form group groups metafield metafields company companies user users subscriber
    subscribers batch item items id ids key keys namespace name names first last middle email
    emails mail phone number numbers postal zip code state province street city country region tax
    date datetime string integer int float boolean array list object null empty blank json body
    data payload path parameter parameters query filter filters header headers content format
    input create created creating update updated updating delete deleted deleting get read write
    save saved saving find found match duplicate duplicates conflict conflicts locked unavailable
    available internal server service error errors failed fail failure unable successful success
    partial one some none resource resources record route method following were you your please
    try again do does did check correct verify exactly between greater equal positive negative
    definition definitions choice ensure make sure bad gateway timeout status
    """
)
