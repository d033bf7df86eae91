"""The words that Magento's own error messages are made of, and the names of its fields.

Taken from the messages of its customer, EAV, web API and authorization modules. No name of a
person or place belongs here: whatever is not listed is masked.
"""


def _set_of(text: str) -> frozenset[str]:
    return frozenset(text.split())


FIELDS = _set_of(
    """
    id customerId customer_id addressId address_id entity_id entityType attributeCode email
    prefix firstname middlename lastname suffix taxvat dob gender group_id groupId website_id
    websiteId store_id storeId created_at updated_at created_in default_billing
    default_shipping confirmation addresses street city postcode telephone fax company vat_id
    country_id countryId region regionId region_id region_code custom_attributes
    extension_attributes is_subscribed password customer address searchCriteria pageSize
    """
)

ID_FIELDS = _set_of(
    "id customerId customer_id addressId address_id entity_id attributeCode entityType"
)

WORDS = _set_of(
    """
    a an the is are be been was were has have had and or of in on at to for from with by as it
    this that no not isn't aren't wasn't can cannot can't more than less least most must should
    may only same such already exists exist associated another other invalid valid value values
    type expected required requires enter try again correct verify reset set please use used
    name names first last middle email mail phone number numbers fax zip code postal state
    province street city country region telephone company vat tax gender date birth group
    customer customers address addresses store stores view website websites account entity
    attribute attributes field fields key keys length equal exceeds exceed contain contains
    contained characters character lines line letters digits spaces space format input
    exception exceptions one occurred have multiple error errors internal details available
    magento log file report id request match does do did any route supported specified
    processed process processing consumer authorized access resources token tokens signature
    expired missing unauthorized denied permission maximum minimum size page allowed allow
    limit default billing shipping save saved saving update updated delete deleted load loaded
    something went wrong while could couldn't provided server service unavailable temporarily
    down maintenance mode many too requests wait later incorrect sign disabled locked
    confirm confirmation two factor authentication tfa provider api web rest json body content
    empty null string integer int float boolean array object class property method parameter
    data unable find found decoding syntax malformed unexpected
    """
)
