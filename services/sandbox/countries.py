"""Countries and their regions, for the shops that keep a directory of them.

Complete for Germany, Austria, Switzerland and the United States; the départements and provinces
that the seeded people live in for France, Italy and Spain; none elsewhere, where a region is
free text. Its promise: region ids are those of a stock Magento where it has the region.
"""

from typing import NamedTuple


class Region(NamedTuple):
    """One region of a country."""

    id: int
    code: str
    name: str


def _numbered(first: int, text: str) -> tuple[Region, ...]:
    pairs = (entry.strip().split("=") for entry in text.split(","))
    return tuple(Region(first + place, code, name) for place, (code, name) in enumerate(pairs))


REGIONS: dict[str, tuple[Region, ...]] = {
    "DE": _numbered(
        79,
        "NDS=Niedersachsen,BAW=Baden-Württemberg,BAY=Bayern,BER=Berlin,BRG=Brandenburg,BRE=Bremen,"
        "HAM=Hamburg,HES=Hessen,MEC=Mecklenburg-Vorpommern,NRW=Nordrhein-Westfalen,"
        "RHE=Rheinland-Pfalz,SAR=Saarland,SAS=Sachsen,SAC=Sachsen-Anhalt,SCN=Schleswig-Holstein,"
        "THE=Thüringen",
    ),
    "AT": _numbered(
        95,
        "WI=Wien,NO=Niederösterreich,OO=Oberösterreich,SB=Salzburg,KN=Kärnten,ST=Steiermark,"
        "TI=Tirol,BL=Burgenland,VB=Vorarlberg",
    ),
    "CH": _numbered(
        104,
        "AG=Aargau,AI=Appenzell Innerrhoden,AR=Appenzell Ausserrhoden,BE=Bern,BL=Basel-Landschaft,"
        "BS=Basel-Stadt,FR=Freiburg,GE=Genf,GL=Glarus,GR=Graubünden,JU=Jura,LU=Luzern,"
        "NE=Neuenburg,NW=Nidwalden,OW=Obwalden,SG=St. Gallen,SH=Schaffhausen,SO=Solothurn,"
        "SZ=Schwyz,TG=Thurgau,TI=Tessin,UR=Uri,VD=Waadt,VS=Wallis,ZG=Zug,ZH=Zürich",
    ),
    "FR": (
        Region(194, "13", "Bouches-du-Rhône"),
        Region(213, "31", "Haute-Garonne"),
        Region(215, "33", "Gironde"),
        Region(226, "44", "Loire-Atlantique"),
        Region(249, "67", "Bas-Rhin"),
        Region(251, "69", "Rhône"),
        Region(257, "75", "Paris"),
        Region(276, "94", "Val-de-Marne"),
    ),
    "ES": (
        Region(130, "A Coruña", "A Coruña"),
        Region(139, "Barcelona", "Barcelona"),
        Region(161, "Madrid", "Madrid"),
        Region(171, "Sevilla", "Sevilla"),
    ),
    "IT": _numbered(850, "MI=Milano,NA=Napoli,RM=Roma,TO=Torino"),
    "US": _numbered(
        1,
        "AL=Alabama,AK=Alaska,AS=American Samoa,AZ=Arizona,AR=Arkansas,AE=Armed Forces Africa,"
        "AA=Armed Forces Americas,AE=Armed Forces Canada,AE=Armed Forces Europe,"
        "AE=Armed Forces Middle East,AP=Armed Forces Pacific,CA=California,CO=Colorado,"
        "CT=Connecticut,DE=Delaware,DC=District of Columbia,FM=Federated States Of Micronesia,"
        "FL=Florida,GA=Georgia,GU=Guam,HI=Hawaii,ID=Idaho,IL=Illinois,IN=Indiana,IA=Iowa,"
        "KS=Kansas,KY=Kentucky,LA=Louisiana,ME=Maine,MH=Marshall Islands,MD=Maryland,"
        "MA=Massachusetts,MI=Michigan,MN=Minnesota,MS=Mississippi,MO=Missouri,MT=Montana,"
        "NE=Nebraska,NV=Nevada,NH=New Hampshire,NJ=New Jersey,NM=New Mexico,NY=New York,"
        "NC=North Carolina,ND=North Dakota,MP=Northern Mariana Islands,OH=Ohio,OK=Oklahoma,"
        "OR=Oregon,PW=Palau,PA=Pennsylvania,PR=Puerto Rico,RI=Rhode Island,SC=South Carolina,"
        "SD=South Dakota,TN=Tennessee,TX=Texas,UT=Utah,VT=Vermont,VI=Virgin Islands,VA=Virginia,"
        "WA=Washington,WV=West Virginia,WI=Wisconsin,WY=Wyoming",
    ),
}

NAMES: dict[str, tuple[str, str, str]] = {
    "AT": ("AUT", "Österreich", "Austria"),
    "BE": ("BEL", "Belgien", "Belgium"),
    "BY": ("BLR", "Belarus", "Belarus"),
    "CA": ("CAN", "Kanada", "Canada"),
    "CH": ("CHE", "Schweiz", "Switzerland"),
    "CZ": ("CZE", "Tschechien", "Czechia"),
    "DE": ("DEU", "Deutschland", "Germany"),
    "DK": ("DNK", "Dänemark", "Denmark"),
    "ES": ("ESP", "Spanien", "Spain"),
    "FR": ("FRA", "Frankreich", "France"),
    "GB": ("GBR", "Vereinigtes Königreich", "United Kingdom"),
    "GR": ("GRC", "Griechenland", "Greece"),
    "HK": ("HKG", "Hongkong", "Hong Kong SAR China"),
    "IE": ("IRL", "Irland", "Ireland"),
    "IT": ("ITA", "Italien", "Italy"),
    "JP": ("JPN", "Japan", "Japan"),
    "KP": ("PRK", "Nordkorea", "North Korea"),
    "LU": ("LUX", "Luxemburg", "Luxembourg"),
    "NL": ("NLD", "Niederlande", "Netherlands"),
    "PL": ("POL", "Polen", "Poland"),
    "PT": ("PRT", "Portugal", "Portugal"),
    "RU": ("RUS", "Russland", "Russia"),
    "SE": ("SWE", "Schweden", "Sweden"),
    "US": ("USA", "Vereinigte Staaten", "United States"),
}
