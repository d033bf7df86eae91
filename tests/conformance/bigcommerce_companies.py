"""The suite's BigCommerce shop: the companies of its B2B Edition."""

from collections.abc import Mapping
from typing import Any, ClassVar, Final

from services.sandbox.bigcommerce.seeding import NUMBER_ATTRIBUTE as NUMBER
from shared.connectors.bigcommerce.companies.record import company_id_of, external_id
from tests.conformance import person
from tests.conformance.bigcommerce import BigCommerceShop
from tests.conformance.shop import Ability, Trouble

REGION: Final = "Region"
_DONE: Final = '{"code":200,"data":{"companyId":1},"meta":{"message":"SUCCESS"}}'


class BigCommerceCompanies(BigCommerceShop):
    """The B2B Edition, its companies with a location each and the number in an extra field."""

    lacks: ClassVar[Mapping[Ability, str]] = {
        Ability.EXPIRING_TOKEN: "an access token holds until it is revoked",
        Ability.OTHER_VIEW: "a shop has one list of companies",
        Ability.UNCONFIGURED_VIEW: "a shop has one list of companies",
    }
    view = "firms"
    views: ClassVar[Mapping[str, Mapping[str, Any]]] = {"firms": {"entity": "companies"}}
    text_field = "company_name"
    spoken = frozenset({"tax_id", "customer_number", "addresses"})
    unspoken = frozenset({"first_name", "last_name", "language", "currency", "companies"})
    unknown_id = "company:987654"
    additional_field = REGION
    discoverable = frozenset({("form_field", NUMBER), ("form_field", REGION)})
    paths: ClassVar[Mapping[str, Mapping[str, str]]] = {
        "read": {"method": "GET", "path": "/io/(companies|addresses|users)"},
        "write": {"method": "PUT", "path": "/io/companies"},
    }

    def register(self, count: int = 1, view: str | None = None) -> list[str]:
        """Give each a location and an administrator."""
        return [self._founded() for _ in range(count)]

    def register_blank(self) -> str:
        """Leave locations and extra fields out."""
        return self._founded(has_location=False)

    def plant(self, text: str) -> str:
        """Go past the rules for lengths."""
        found = self._founded()
        company = self._companies.known(_number(found))
        names = ("companyName", "companyEmail", "companyPhone", "city", "addressLine1")
        company |= dict.fromkeys(names, text)
        company["extraFields"][REGION] = text
        self._companies._keep(company, "plant", {}, origin="shopper")
        location = self._book(found)[0]
        location |= dict.fromkeys(_LOCATION.keys() - {"countryCode", "countryName"}, text)
        location |= {"label": text, "stateCode": text}
        return found

    def edit(self, external_id: str) -> None:
        """Give a new name."""
        self._control.edit_company(_number(external_id), companyName=self.next_word())

    def edit_address(self, external_id: str) -> None:
        """Move a location; the company's time stays."""
        location = self._book(external_id)[0]
        self._control._b2b.locations._write(location, {"addressLine1": self.next_word()})

    def touch(self, external_id: str) -> None:
        """Change nothing but the time."""
        self._control.edit_company(_number(external_id))

    def delete(self, external_id: str) -> None:
        """Do it in the control panel."""
        self._companies._deleted.add(_number(external_id))

    def ids(self) -> set[str]:
        """List all companies."""
        return {external_id(number) for number in self._control.company_ids()}

    def number(self, external_id: str) -> str | None:
        """Look at the extra field."""
        return self._control.company_extra_field(_number(external_id), NUMBER) or None

    def set_number(self, external_id: str, number: str) -> None:
        """Do it in the control panel."""
        field = {"fieldName": NUMBER, "fieldValue": number}
        self._control.edit_company(_number(external_id), extraFields=[field])

    def value(self, external_id: str) -> str | None:
        """Look at another."""
        return self._control.company_extra_field(_number(external_id), REGION) or None

    def rest(self, external_id: str) -> Any:
        """Leave out the time of change and the number."""
        company = self._control.company(_number(external_id))
        fields = {name: text for name, text in company["extraFields"].items() if name != NUMBER}
        kept = {name: value for name, value in company.items() if name != "updatedAt"}
        return {**kept, "extraFields": fields}, [dict(each) for each in self._book(external_id)]

    def writes(self, external_id: str) -> int:
        """Count what the API wrote since it was founded."""
        writes = self._control.writes(_number(external_id))
        return sum((write.origin, write.action) == ("api", "update") for write in writes)

    def refusal(self, trouble: Trouble) -> tuple[int, dict[str, Any]]:
        """Return status and body of the B2B Edition's refusal."""
        if trouble is Trouble.REFUSED:
            said = {"errMsg": {"companyEmail": [f"{person.EMAIL} is taken."]}}
            return 422, {"code": 422, "data": said, "meta": {"message": "Parameter Error"}}
        status = 401 if trouble is Trouble.DENIED else 403
        return status, {"code": status, "data": {"errMsg": "No."}, "meta": {"message": "No."}}

    def remove_field(self) -> None:
        """Remove the definition of the extra field."""
        self._companies.extra_fields.remove(NUMBER)

    def drop_silently(self) -> None:
        """Answer as if all were well, once."""
        self._control.fail_next("status", status=200, body=_DONE, method="PUT", path="/companies")

    @property
    def _companies(self) -> Any:
        return self._control._b2b.companies

    def _book(self, external_id: str) -> list[dict[str, Any]]:
        return self._control._b2b.locations.book(_number(external_id))

    def _founded(self, *, has_location: bool = True) -> str:
        made = self._companies._created(
            {
                "companyName": f"{person.COMPANY} {self.next_word()}",
                "companyPhone": person.PHONE,
                "companyEmail": self.next_email(),
                "country": "Germany",
                "adminFirstName": person.FIRST_NAME,
                "adminLastName": person.LAST_NAME,
                "adminEmail": self.next_email(),
            }
        )
        if has_location:
            self._control._b2b.locations._created({**_LOCATION, "companyId": made["companyId"]})
        return external_id(made["companyId"])


_LOCATION: Final = {
    "firstName": person.FIRST_NAME,
    "lastName": person.LAST_NAME,
    "addressLine1": person.STREET,
    "city": person.CITY,
    "zipCode": person.POSTCODE,
    "stateName": "Berlin",
    "countryName": "Germany",
    "countryCode": person.COUNTRY,
    "phoneNumber": person.PHONE,
}


def _number(text: str) -> int:
    number = company_id_of(text)
    assert number is not None
    return number
