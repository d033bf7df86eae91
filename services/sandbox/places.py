# ruff: noqa: RUF001 - names in other alphabets are the point of this file
"""What people in fifteen countries are called, where they live and how they write a phone number.

Data for `services.sandbox.people`, and nothing else. Its promise: towns, postcodes, regions and
dialling codes belong together.

In the phone patterns `{a}` is the town's dialling code, `#` any digit, `+` one from 2 to 9.
"""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Town:
    """A town, some of its postcodes, its region by code and name, and its dialling code."""

    name: str
    postcodes: tuple[str, ...]
    region_code: str = ""
    region: str = ""
    dialling: str = ""


@dataclass(frozen=True, slots=True)
class Country:
    """How a country's customers look."""

    code: str
    share: int
    language: str
    calling_code: str
    female: tuple[str, ...] = field(repr=False)
    male: tuple[str, ...] = field(repr=False)
    lastnames: tuple[str, ...] = field(repr=False)
    towns: tuple[Town, ...] = field(repr=False)
    streets: tuple[str, ...] = field(repr=False)
    phones: tuple[str, ...] = field(repr=False)
    firms: tuple[str, ...] = field(repr=False)
    titles: tuple[str, str] = field(default=("", ""), repr=False)
    address_line: str = "{street} {number}"
    second_lines: tuple[str, ...] = field(default=(), repr=False)
    female_lastnames: tuple[str, ...] = field(default=(), repr=False)


def _words(text: str) -> tuple[str, ...]:
    return tuple(word.strip().replace("_", " ") for word in text.split(","))


GERMANY = Country(
    code="DE",
    share=30,
    language="de",
    calling_code="49",
    titles=("Frau", "Herr"),
    female=_words(
        "Petra,Anna,Sabine,Ursula,Jördis,Katharina,Lena,Mia,Heike,Renate,Zoë,Marlene,Anne-Kathrin,"
        "Birgit,Käthe,Ayşe,Franziska,Gudrun"
    ),
    male=_words(
        "Hans,Jürgen,Karl-Heinz,Lukas,Felix,Günther,Björn,Sören,Mehmet,Thomas,Uwe,Matthias,Jonas,"
        "Götz,Emil,Wolfgang,Ömer"
    ),
    lastnames=_words(
        "Müller,Schmidt,Lang,Weiß,Groß,Köhler,Schäfer,von_der_Heide,Yılmaz,Öztürk,Vogel,Brüggemann,"
        "Meyer-Landrut,Strauß,Jäger,Krüger,zu_Guttenberg,Fischer,Wagner,Hofmann"
    ),
    towns=(
        Town("Berlin", ("10115", "12047", "13353"), "BER", "Berlin", "30"),
        Town("Hamburg", ("20095", "22767"), "HAM", "Hamburg", "40"),
        Town("München", ("80331", "81667"), "BAY", "Bayern", "89"),
        Town("Nürnberg", ("90402", "90489"), "BAY", "Bayern", "911"),
        Town("Köln", ("50667", "50937"), "NRW", "Nordrhein-Westfalen", "221"),
        Town("Düsseldorf", ("40213", "40477"), "NRW", "Nordrhein-Westfalen", "211"),
        Town("Frankfurt am Main", ("60311", "60594"), "HES", "Hessen", "69"),
        Town("Frankfurt (Oder)", ("15230",), "BRG", "Brandenburg", "335"),
        Town("Stuttgart", ("70173", "70597"), "BAW", "Baden-Württemberg", "711"),
        Town("Leipzig", ("04109", "04229"), "SAS", "Sachsen", "341"),
        Town("Bremen", ("28195",), "BRE", "Bremen", "421"),
    ),
    streets=_words(
        "Lindenweg,Hauptstraße,Bahnhofstr.,Goethestraße,Am_Markt,Straße_des_17._Juni,Schillerplatz,"
        "Kastanienallee,Königsallee,An_der_alten_Mühle,Rosa-Luxemburg-Str."
    ),
    second_lines=_words("Hinterhaus,2._OG_links,c/o Schröder,Whg. 12,Gartenhaus"),
    phones=(
        "+49 {a} 55+###1",
        "0{a} / 55+###2",
        "(0{a}) 555-+##",
        "0049{a}55+##34",
        "+49 (0){a} 55+##67",
        "0151 +#######",
        "+4917+ ########",
        "0176-4+######",
    ),
    firms=_words(
        "{name} GmbH,{name} & Söhne KG,{name} Maschinenbau GmbH & Co. KG,{name} AG,{name} e.K."
    ),
)

AUSTRIA = Country(
    code="AT",
    share=5,
    language="de",
    calling_code="43",
    titles=("Frau", "Herr"),
    female=_words("Johanna,Elisabeth,Magdalena,Theresa,Roswitha,Verena"),
    male=_words("Maximilian,Florian,Leopold,Franz-Josef,Sebastian,Alois"),
    lastnames=_words("Gruber,Huber,Pichler,Moser,Steiner,Lechner,Fuchs,Öllinger,Czerny"),
    towns=(
        Town("Wien", ("1010", "1070", "1160"), "WI", "Wien", "1"),
        Town("Graz", ("8010", "8020"), "ST", "Steiermark", "316"),
        Town("Salzburg", ("5020",), "SB", "Salzburg", "662"),
        Town("St. Pölten", ("3100",), "NO", "Niederösterreich", "2742"),
        Town("Innsbruck", ("6020",), "TI", "Tirol", "512"),
    ),
    streets=_words("Mariahilfer_Straße,Herrengasse,Kirchengasse,Am_Graben,Landstraßer_Hauptstraße"),
    second_lines=_words("Stiege 2,Top 14,Tür 7"),
    phones=("+43 {a} +#####1", "0{a}/+###3#", "0664 +######", "+43 (0)676 8+#####"),
    firms=_words("{name} GmbH,{name} Holzbau GesmbH,{name} OG"),
)

SWITZERLAND = Country(
    code="CH",
    share=4,
    language="de",
    calling_code="41",
    titles=("Frau", "Herr"),
    female=_words("Seraina,Ursina,Regula,Nathalie,Flurina,Chantal"),
    male=_words("Urs,Beat,Reto,Ueli,Jean-Luc,Gian"),
    lastnames=_words("Müller,Keller,Zürcher,Brunner,Favre,Bernasconi,Rüegg,Ammann"),
    towns=(
        Town("Zürich", ("8001", "8048"), "ZH", "Zürich", "44"),
        Town("Bern", ("3011", "3018"), "BE", "Bern", "31"),
        Town("Basel", ("4051", "4057"), "BS", "Basel-Stadt", "61"),
        Town("Luzern", ("6003",), "LU", "Luzern", "41"),
    ),
    streets=_words("Bahnhofstrasse,Seestrasse,Gerbergasse,Dorfstrasse,Höheweg"),
    second_lines=_words("Postfach,3. Stock"),
    phones=("+41 {a} +## ## #5", "0{a} +## #4 ##", "079 +## ## ##", "+41 (0)78 +## ## ##"),
    firms=_words("{name} AG,{name} GmbH,{name} Uhren SA"),
)

FRANCE = Country(
    code="FR",
    share=14,
    language="fr",
    calling_code="33",
    titles=("Mme", "M."),
    female=_words("Élodie,Chloé,Françoise,Anaïs,Marie-Claire,Hélène,Zoé,Aurélie,Noémie,Maëlys"),
    male=_words("Étienne,François,Jean-Pierre,Loïc,Benoît,Gaël,Théo,Jérôme,Maël,Rémi"),
    lastnames=_words(
        "Lefèvre,Dubois,Moreau,Garçon,D'Aubigné,de_La_Rochefoucauld,Béranger,Le_Gall,N’Guessan,"
        "Fournier,Saint-Exupéry,Château,Œuvrard"
    ),
    towns=(
        Town("Paris", ("75004", "75011", "75018"), "75", "Paris", "1"),
        Town("Lyon", ("69002", "69007"), "69", "Rhône", "4"),
        Town("Marseille", ("13001", "13008"), "13", "Bouches-du-Rhône", "4"),
        Town("Toulouse", ("31000",), "31", "Haute-Garonne", "5"),
        Town("Bordeaux", ("33000",), "33", "Gironde", "5"),
        Town("Nantes", ("44000",), "44", "Loire-Atlantique", "2"),
        Town("Strasbourg", ("67000",), "67", "Bas-Rhin", "3"),
        Town("L'Haÿ-les-Roses", ("94240",), "94", "Val-de-Marne", "1"),
    ),
    streets=_words(
        "rue_de_la_Paix,avenue_des_Champs-Élysées,boulevard_Voltaire,place_d'Italie,"
        "rue_du_Faubourg-Saint-Honoré,chemin_des_Vignes,quai_de_l'Île"
    ),
    address_line="{number} {street}",
    second_lines=_words("Bâtiment B,Appt 12,3e étage,Résidence les Tilleuls"),
    phones=(
        "0{a} +# ## ## ##",
        "+33 {a} +# ## #3 ##",
        "06.+#.##.##.##",
        "+337+#######",
        "0{a}+#####4#",
    ),
    firms=_words("{name} SARL,Ets {name} et Fils,{name} SAS,Boulangerie {name}"),
)

BELGIUM = Country(
    code="BE",
    share=4,
    language="fr",
    calling_code="32",
    titles=("Mme", "M."),
    female=_words("Amélie,Sofie,Lotte,Margaux,An-Sofie"),
    male=_words("Pieter,Thibault,Wout,Gauthier,Joris"),
    lastnames=_words("Peeters,Janssens,Vandenbroucke,De_Smet,Dupont,Lambert,'t_Hooft"),
    towns=(
        Town("Bruxelles", ("1000", "1050"), "", "Bruxelles-Capitale", "2"),
        Town("Antwerpen", ("2000", "2018"), "", "Antwerpen", "3"),
        Town("Liège", ("4000",), "", "Liège", "4"),
    ),
    streets=_words("rue_Neuve,Meir,Grote_Markt,Kerkstraat,avenue_Louise"),
    second_lines=_words("bus 4,boîte 12"),
    phones=("+32 {a} 2+# ## ##", "0{a}/2+#.##.##", "0476 +# ## ##"),
    firms=_words("{name} NV,{name} BVBA,{name} SPRL"),
)

NETHERLANDS = Country(
    code="NL",
    share=8,
    language="nl",
    calling_code="31",
    titles=("mevr.", "dhr."),
    female=_words("Sanne,Anouk,Femke,Maartje,Joëlle,Fenna"),
    male=_words("Daan,Sjoerd,Jeroen,Thijs,Bram,Ruud"),
    lastnames=_words(
        "van_den_Berg,de_Vries,IJsbrand,van_'t_Hof,Jansen,Bakker,van_der_Meer,ten_Böhmer"
    ),
    towns=(
        Town("Amsterdam", ("1012 AB", "1054JK", "1098 XH"), "", "Noord-Holland", "20"),
        Town("Rotterdam", ("3011 AA", "3032 BC"), "", "Zuid-Holland", "10"),
        Town("Utrecht", ("3511 LX",), "", "Utrecht", "30"),
        Town("'s-Hertogenbosch", ("5211 HV",), "", "Noord-Brabant", "73"),
    ),
    streets=_words("Keizersgracht,Kalverstraat,Dorpsstraat,Prins_Hendrikkade,'t_Hoge_Weitje"),
    second_lines=_words("3-hoog,bis,toevoeging A"),
    phones=("0{a}-55+##44", "+31 {a} 55+ ## 2#", "06-2+######", "+31 (0)6 4+######"),
    firms=_words("{name} B.V.,{name} V.O.F.,Fietsenwinkel {name}"),
)

ITALY = Country(
    code="IT",
    share=6,
    language="it",
    calling_code="39",
    titles=("Sig.ra", "Sig."),
    female=_words("Giulia,Chiara,Maria Grazia,Beatrice,Ornella"),
    male=_words("Nicolò,Giuseppe,Alessandro,Gian Luca,Matteo"),
    lastnames=_words("Rossi,D'Angelo,De_Luca,Esposito,Ferrari,Cossù,Dell'Acqua"),
    towns=(
        Town("Roma", ("00184", "00199"), "RM", "Roma", "06"),
        Town("Milano", ("20121", "20154"), "MI", "Milano", "02"),
        Town("Torino", ("10121",), "TO", "Torino", "011"),
        Town("Napoli", ("80132",), "NA", "Napoli", "081"),
    ),
    streets=_words(
        "Via_Roma,Corso_Vittorio_Emanuele_II,Piazza_Garibaldi,Vicolo_dell'Oro,Via_XX_Settembre"
    ),
    address_line="{street}, {number}",
    second_lines=_words("Scala B,interno 4"),
    phones=("+39 {a} 6+##4##", "{a} 4+####1", "34+ #######", "+39 33+ #######"),
    firms=_words("{name} S.r.l.,{name} S.p.A.,Fratelli {name} snc"),
)

SPAIN = Country(
    code="ES",
    share=5,
    language="es",
    calling_code="34",
    titles=("Sra.", "Sr."),
    female=_words("María José,Begoña,Lucía,Núria,Inés"),
    male=_words("Íñigo,José Luis,Álvaro,Joaquín,Martín"),
    lastnames=_words("García López,Muñoz,Fernández de Córdoba,Ibáñez,Núñez i Vila,Ortuño"),
    towns=(
        Town("Madrid", ("28013", "28004"), "Madrid", "Madrid", "91"),
        Town("Barcelona", ("08001", "08025"), "Barcelona", "Barcelona", "93"),
        Town("Sevilla", ("41001",), "Sevilla", "Sevilla", "954"),
        Town("A Coruña", ("15001",), "A Coruña", "A Coruña", "981"),
    ),
    streets=_words("Calle_Mayor,Gran_Vía,Avinguda_Diagonal,Plaza_de_España,C/_del_Pez"),
    address_line="{street}, {number}",
    second_lines=_words("3º izda.,bajo,2ª pta."),
    phones=("+34 6+# ### ###", "6+#######", "+346+#######"),
    firms=_words("{name} S.L.,Hijos de {name} S.A."),
)

POLAND = Country(
    code="PL",
    share=5,
    language="pl",
    calling_code="48",
    titles=("Pani", "Pan"),
    female=_words("Małgorzata,Agnieszka,Żaneta,Łucja,Zofia"),
    male=_words("Paweł,Michał,Łukasz,Krzysztof,Świętosław"),
    lastnames=_words("Kowalski,Wiśniewski,Dąbrowski,Wójcik,Zając"),
    female_lastnames=_words("Kowalska,Wiśniewska,Dąbrowska,Wójcik,Zając"),
    towns=(
        Town("Warszawa", ("00-001", "02-520"), "", "mazowieckie", "22"),
        Town("Kraków", ("30-001", "31-042"), "", "małopolskie", "12"),
        Town("Łódź", ("90-001",), "", "łódzkie", "42"),
        Town("Gdańsk", ("80-001",), "", "pomorskie", "58"),
    ),
    streets=_words("ul._Długa,ul._Świętego_Ducha,al._Jerozolimskie,pl._Wolności,ul._11_Listopada"),
    second_lines=_words("m. 14,lok. 3"),
    phones=("+48 {a} 6+# ## ##", "{a} 6+#-##-##", "60+ ### ###", "+48 51+ ### ###"),
    firms=_words("{name} sp. z o.o.,P.H.U. {name},{name} S.A."),
)

CZECHIA = Country(
    code="CZ",
    share=4,
    language="cs",
    calling_code="420",
    titles=("paní", "pan"),
    female=_words("Tereza,Kateřina,Růžena,Šárka,Žofie"),
    male=_words("Jiří,Ondřej,Tomáš,Vojtěch,Řehoř"),
    lastnames=_words("Novák,Dvořák,Svoboda,Černý,Kříž"),
    female_lastnames=_words("Nováková,Dvořáková,Svobodová,Černá,Křížová"),
    towns=(
        Town("Praha 1", ("110 00", "11000"), "", "Praha", "2"),
        Town("Brno", ("602 00",), "", "Jihomoravský kraj", "5"),
        Town("České Budějovice", ("370 01",), "", "Jihočeský kraj", "3"),
    ),
    streets=_words("Na_Příkopě,Dlouhá,Masarykova,Nám._Míru,U_Zvonařky"),
    second_lines=_words("byt 7,3. patro"),
    phones=("+420 60+ ### ###", "60+###1##", "00420 77+ ### ###"),
    firms=_words("{name} s.r.o.,{name} a.s."),
)

SWEDEN = Country(
    code="SE",
    share=4,
    language="sv",
    calling_code="46",
    female=_words("Åsa,Linnéa,Märta,Freja,Karin"),
    male=_words("Björn,Göran,Håkan,Nils,Örjan"),
    lastnames=_words("Åkesson,Sjöberg,Lindström,Öberg,af_Klint,Johansson"),
    towns=(
        Town("Stockholm", ("111 29", "11646"), "", "Stockholms län", "8"),
        Town("Göteborg", ("411 03",), "", "Västra Götalands län", "31"),
        Town("Malmö", ("211 22",), "", "Skåne län", "40"),
    ),
    streets=_words("Drottninggatan,Storgatan,Kungsgatan,Sveavägen,Ängsvägen"),
    second_lines=_words("lgh 1102,c/o Ek"),
    phones=("0{a}-6+# ## #4", "+46 {a} 6+# 3# ##", "070-+## ## ##", "+46 (0)73 +## ## ##"),
    firms=_words("{name} AB,{name} & Co HB"),
)

UNITED_KINGDOM = Country(
    code="GB",
    share=10,
    language="en",
    calling_code="44",
    titles=("Ms", "Mr"),
    female=_words("Siân,Olivia,Charlotte,Aoife,Priya,Margaret,Zoe"),
    male=_words("Oliver,Rhys,Hamish,Mohammed,George,Nigel,Séamus"),
    lastnames=_words(
        "Smith,O'Brien,McDonald,Fitz-Simmons,Singh,ap_Rhys,Wright,Featherstonehaugh,Ng"
    ),
    towns=(
        Town("London", ("SW1A 1AA", "E1 6AN", "n1 9gu"), "", "Greater London", "20"),
        Town("Manchester", ("M1 1AE", "M20 2RN"), "", "Greater Manchester", "161"),
        Town("Edinburgh", ("EH1 1YZ",), "", "Midlothian", "131"),
        Town("Cardiff", ("CF10 1EP",), "", "South Glamorgan", "29"),
        Town("Newcastle upon Tyne", ("NE1 4ST",), "", "Tyne and Wear", "191"),
    ),
    streets=_words("High_Street,Station_Road,Church_Lane,St._Mary's_Close,The_Green,King's_Parade"),
    address_line="{number} {street}",
    second_lines=_words("Flat 3b,Rose Cottage,2nd Floor"),
    phones=(
        "020 7+## ####",
        "+44 161 4+# ####",
        "(0131) 4+# ####",
        "07400 1+####",
        "+44 (0)7911 12####",
    ),
    firms=_words("{name} Ltd,{name} & Sons Ltd,{name} LLP,The {name} Company plc"),
)

UNITED_STATES = Country(
    code="US",
    share=8,
    language="en",
    calling_code="1",
    female=_words("Jennifer,Ashley,Guadalupe,Latoya,Mary Ann"),
    male=_words("John,Tyrone,José,Michael,Billy-Bob"),
    lastnames=_words("Johnson,Williams,O'Connor,Rodríguez,Washington,Nguyen,St._Clair"),
    towns=(
        Town("New York", ("10001", "10025-3314"), "NY", "New York", "212"),
        Town("Los Angeles", ("90012", "90046"), "CA", "California", "213"),
        Town("Austin", ("78701",), "TX", "Texas", "512"),
        Town("Chicago", ("60614",), "IL", "Illinois", "312"),
        Town("Seattle", ("98101",), "WA", "Washington", "206"),
        Town("Miami", ("33130",), "FL", "Florida", "305"),
        Town("Boston", ("02108",), "MA", "Massachusetts", "617"),
    ),
    streets=_words("Main St,5th Avenue,W 42nd St,Martin Luther King Jr Blvd,Old Mill Rd"),
    address_line="{number} {street}",
    second_lines=_words("Apt 4B,Suite 200,# 12"),
    phones=(
        "({a}) +##-##01",
        "+1 {a}-+##-##02",
        "{a}.+##.##03",
        "1-{a}-+##-##04",
        "({a}) +##-##05 ext. 12",
    ),
    firms=_words("{name} Inc.,{name} LLC,{name} Brothers Corp."),
)

JAPAN = Country(
    code="JP",
    share=2,
    language="ja",
    calling_code="81",
    female=_words("美咲|misaki,陽子|yoko,さくら|sakura,結衣|yui"),
    male=_words("健太|kenta,翔|sho,大輔|daisuke,誠|makoto"),
    lastnames=_words("佐藤|sato,鈴木|suzuki,髙橋|takahashi,渡邊|watanabe,小野寺|onodera"),
    towns=(
        Town("渋谷区", ("150-0002", "150-0043"), "", "東京都", "3"),
        Town("大阪市北区", ("530-0001",), "", "大阪府", "6"),
        Town("京都市中京区", ("604-8006",), "", "京都府", "75"),
    ),
    streets=_words("渋谷2丁目,梅田1丁目,河原町通,本町3丁目"),
    address_line="{street}{number}番地",
    second_lines=_words("メゾン桜 301号室,さくらビル5階"),
    phones=("03-3+##-1###", "+81 3 3+## 1###", "090-+###-####"),
    firms=_words("株式会社{name},{name}商店"),
)

GREECE = Country(
    code="GR",
    share=2,
    language="el",
    calling_code="30",
    female=_words("Μαρία|maria,Ελένη|eleni,Κατερίνα|katerina"),
    male=_words("Γιώργος|giorgos,Δημήτρης|dimitris,Νίκος|nikos"),
    lastnames=_words("Παπαδόπουλος|papadopoulos,Γεωργίου|georgiou,Οικονόμου|oikonomou"),
    female_lastnames=_words("Παπαδοπούλου|papadopoulou,Γεωργίου|georgiou,Οικονόμου|oikonomou"),
    towns=(
        Town("Αθήνα", ("105 57", "11527"), "", "Αττική", "210"),
        Town("Θεσσαλονίκη", ("546 24",), "", "Κεντρική Μακεδονία", "2310"),
    ),
    streets=_words("Ερμού,Λεωφ._Κηφισίας,Εγνατία"),
    second_lines=("2ος όροφος",),
    phones=("+30 694 +######", "697+######", "+30 210 3+#####"),
    firms=_words("{name} Α.Ε.,Αφοί {name} Ο.Ε."),
)

COUNTRIES: tuple[Country, ...] = (
    GERMANY,
    AUSTRIA,
    SWITZERLAND,
    FRANCE,
    BELGIUM,
    NETHERLANDS,
    ITALY,
    SPAIN,
    POLAND,
    CZECHIA,
    SWEDEN,
    UNITED_KINGDOM,
    UNITED_STATES,
    JAPAN,
    GREECE,
)
