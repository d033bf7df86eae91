"""What the shop's staff does to companies and their locations, for `Control`.

Its promise: what the API would refuse is refused here, too, as `Problems`.
"""

from typing import Any

from services.sandbox.shopify import companies, locations
from services.sandbox.shopify.errors import Record
from services.sandbox.shopify.gids import customer_gid
from services.sandbox.shopify.shopper import SHOPPER, Shopper, plain


class Buyer(Shopper):
    """The hands of those who buy for a firm: shoppers who have a company, too."""

    def register_company(
        self,
        name: str,
        *,
        contacts: tuple[str | int, ...] = (),
        locations_: tuple[Record, ...] = (),
        **company: Any,
    ) -> Record:
        """Found a company; fields as in `CompanyInput`, `CompanyLocationInput`; contacts exist."""
        with self._shop.lock:
            first = locations_[0] if locations_ else None
            wanted: Record = {"company": {"name": name} | company}
            if first:
                wanted["companyLocation"] = first
            founded = companies.create(self._shop, {"input": wanted}, SHOPPER)["company"]
            for each in locations_[1:]:
                given = {"companyId": founded["id"], "input": each}
                locations.create(self._shop, given, SHOPPER)
            for contact in contacts:
                founded = companies.add_contact(
                    self._shop, founded, self.customer_record(contact), {}, SHOPPER
                )
            return self.company(founded["id"])

    def company(self, company: str) -> Record:
        """Return a company as stored, with the ids of its locations and contacts."""
        with self._shop.lock:
            known = self.found("Company", company)
            contacts = self._shop.linked("CompanyContact", known)
            return plain(known) | {
                "locations": [each["id"] for each in self._shop.linked("CompanyLocation", known)],
                "contacts": [each["id"] for each in contacts],
                "customers": [customer_gid(each["_customer"]) for each in contacts],
            }

    def edit_company(self, company: str, /, **changes: Any) -> Record:
        """Edit a company in the back office; `updatedAt` moves."""
        with self._shop.lock:
            companies.update(self._shop, {"companyId": company, "input": changes}, SHOPPER)
            return self.company(company)

    def company_number(self, company: str) -> str | None:
        """Return the ERP's number of a company, its external id."""
        found: str | None = self.company(company)["externalId"]
        return found

    def location(self, location: str) -> Record:
        """Return a location as stored."""
        with self._shop.lock:
            return plain(self.found("CompanyLocation", location))

    def edit_location(self, location: str, /, **changes: Any) -> Record:
        """Edit a location; `shippingAddress`, `billingAddress`, `taxRegistrationId` as well."""
        with self._shop.lock:
            for name, kind in (("shippingAddress", "SHIPPING"), ("billingAddress", "BILLING")):
                if name in changes:
                    given = {"address": changes.pop(name), "addressTypes": [kind]}
                    locations.assign_address(self._shop, given | {"locationId": location}, SHOPPER)
            tax = {name: changes.pop(name) for name in ("taxRegistrationId", "taxExempt")
                   if name in changes}  # fmt: skip
            if tax:
                locations.update_tax(self._shop, tax | {"companyLocationId": location}, SHOPPER)
            if changes:
                given = {"companyLocationId": location, "input": changes}
                locations.update(self._shop, given, SHOPPER)
            return self.location(location)

    def location_number(self, location: str) -> str | None:
        """Return the ERP's number of a location, its external id."""
        found: str | None = self.location(location)["externalId"]
        return found
