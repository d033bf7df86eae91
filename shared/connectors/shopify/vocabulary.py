"""The words that Shopify's own error messages are made of, and the names of its fields.

No name of a person or place belongs here: whatever is not listed is masked.
"""


def _set_of(text: str) -> frozenset[str]:
    return frozenset(text.split())


NAMES = _set_of(
    """
    id input customer customers customerId company companies companyId companyLocation
    companyLocations companyLocationId companyContact companyContactProfiles externalId name note
    firstName lastName email phone locale tags addresses addressesV2 defaultAddress
    defaultEmailAddress defaultPhoneNumber emailAddress phoneNumber metafield metafields
    metafieldsSet metafieldDefinitions namespace key type value ownerId compareDigest ownerType
    taxRegistrationId taxSettings shippingAddress billingAddress address1 address2 zip city
    provinceCode countryCode zoneCode recipient query first after nodes edges node sortKey ids
    bulkOperationRunQuery bulkOperation customerUpdate companyUpdate companyLocationUpdate tagsAdd
    shop currentAppInstallation accessScopes CustomerInput CompanyInput MetafieldsSetInput
    Customer Company CompanyLocation CompanyContact MailingAddress CompanyAddress Metafield
    QueryRoot Mutation ID String
    read_customers write_customers read_companies write_companies read_customer_merge
    THROTTLED ACCESS_DENIED SHOP_INACTIVE MAX_COST_EXCEEDED INTERNAL_SERVER_ERROR
    STALE_OBJECT INVALID_COMPARE_DIGEST CAPABILITY_VIOLATION APP_NOT_AUTHORIZED INTERNAL_ERROR
    INVALID_TYPE INVALID_VALUE LESS_THAN_OR_EQUAL_TO TOO_LONG TOO_SHORT INVALID_INPUT LIMIT_REACHED
    NO_INPUT RESOURCE_NOT_FOUND UNEXPECTED_TYPE FAILED_TO_DELETE OPERATION_IN_PROGRESS
    found owner node tags taxExempt taxExemptions createdAt updatedAt locations contacts title
    isMainContact contactRoles accessScopes myshopifyDomain pageInfo hasNextPage endCursor number
    taxId userErrors elementIndex customersCount marketingState marketingUpdatedAt companyName
    undefinedField argumentLiteralsIncompatible missingRequiredArguments
    invalid_client invalid_grant invalid_request unsupported_grant_type
    application_cannot_be_found shop_not_permitted client_credentials
    """
)

WORDS = _set_of(
    """
    a an the is are be been was were has have had and or of in on at to for from with by as it its
    this that these no not isn't can cannot can't more than less least most must should may only
    same such already exists exist another other invalid valid value values type types expected
    required requires enter try again later correct set please use used using name names
    first last email phone number numbers zip postal province country city street address
    addresses company companies location locations contact contacts customer customers customer's
    shop store app api admin account key keys token access scope scopes denied unrecognized login
    wrong password unauthorized approved protected data object objects field fields argument
    metafield metafields namespace definition definitions owner owners digest unique uniqueness
    taken blank presence present empty null long short characters character maximum minimum length
    size limit reached exceeds exceeded exceed cost query queries mutation point points single
    throttled rate requests request too many internal error errors server something went wrong our
    end id report unavailable temporarily frozen locked inactive payment found does do did doesn't
    since loaded been modified stale object match matches matching capability violation violates
    restriction permission permissions authorized created updated update create delete deleted
    tag tags operation operations bulk progress running completed failed expired canceled version
    supported unsupported format integer string boolean variable provided argument arguments
    selections accept accepted undefined unknown input included list element elements allowed
    credentials client secret grant matching one two looks like parameter parameters missing plan
    include includes b2b available feature enabled enable
    """
)
