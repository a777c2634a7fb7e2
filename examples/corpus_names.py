"""Names and other words that the demo corpus is made of: common knowledge or invented.

In each list every fourth name is kept out of train (see make_corpus.py). None of them stands in the demo's sentence,
apart from first names.
"""

from __future__ import annotations


def _words(text: str) -> tuple[str, ...]:
    """Names between bars, or between blanks where there is no bar, each once."""
    names = text.split("|") if "|" in text else text.split()
    return tuple(dict.fromkeys(" ".join(name.split()) for name in names))


FIRST = _words("""
Aaron Abigail Adele Adrian Agnes Ahmed Aisha Alan Albert Alejandro Alice Alison Amanda Amir Amy Ana Andre Andrea
Andrew Angela Anna Anton Arthur Astrid Audrey August Austin Barbara Beatriz Ben Bernard Beth Bill Boris Brenda Brian
Bruno Camille Carla Carlos Carmen Carol Cecilia Charles Charlotte Chen Chloe Chris Claire Clara Claude Colin Craig
Cyril Daisuke Dana Daniel Dario David Deborah Dennis Diana Diego Dmitri Dolores Donna Dorothy Edith Eduardo Edward
Eileen Elena Elias Elif Emil Emily Emma Enrique Erica Erik Esther Eva Farah Fatima Felix Fiona Florence Frances Frank
Fred Gabriel Gareth Gemma George Georgia Gerald Giovanni Giulia Grace Greta Guido Gustav Hannah Harold Hassan Heidi
Helen Henry Hiroshi Hope Hugo Ian Ibrahim Igor Ines Ingrid Irene Isaac Ivan Jack Jacob James Jane Javier Jean Jennifer
Jens Jessica Joan Joel Johan John Jonas Jordan Jorge Joseph Joyce Juan Julia Karen Karim Karl Kate Keiko Keith Kenji
Kevin Kim Klaus Lara Lars Laura Leila Leo Leon Liam Lily Linda Lisa Lorenzo Louis Lucas Lucia Luis Lydia Madison
Magnus Malik Manuel Marco Margaret Maria Marie Mario Mark Marta Martin Mary Matteo Matthew Max May Maya Mehmet Michael
Miguel Mila Mohamed Monica Nadia Naomi Natalie Nathan Nelson Nicole Niels Nina Nora Olga Oliver Omar Oscar Pablo Paola
Paris Patricia Patrick Paul Pedro Peggy Peter Philip Pierre Priya Quentin Rachel Rafael Raj Ramon Rashid Raymond
Rebecca Ricardo Richard Rita Robert Roberto Rosa Rose Ruben Ruth Ryan Sally Samir Samuel Sandra Sarah Sean Sergei
Sharon Silvia Simon Sofia Stefan Stella Stephen Susan Sven Sylvia Takeshi Tamara Tanya Tara Teresa Thomas Tim Tomas
Tony Ursula Valeria Vera Victor Vincent Violet Virginia Vladimir Walter Wei Wendy Will William Xavier Yasmin Yuki
Yusuf Yvonne Zoe
""")

LAST = _words("""
Abbott Achebe Adeyemi Aguilar Ahmadi Albrecht Alvarez Amadi Anderson Andersson Aoki Armitage Arnaud Ashby Austin
Bailey Balogun Banerjee Barlow Barros Bauer Becker Bellini Benson Bergstrom Bianchi Blackwood Blake Boateng Bouchard
Bradley Brandt Brennan Brooks Burke Calloway Cardoso Carlsen Carpenter Castillo Chandra Chavez Chen Cho Christensen
Clarke Cohen Collins Conti Cooper Costa Crane Cruz Dahl Dalton Danso Davies Delgado Dempsey Desai Diallo Dietrich
Dixon Dlamini Doyle Drake Duarte Dubois Dumont Duncan Eckhart Edwards Eklund Elliott Engel Erdogan Escobar Evans
Fairbanks Farrell Fernandez Ferrari Fischer Fleming Fonseca Ford Foster Fournier Fox Franklin Friedman Fuchs Fujimoto
Gallagher Garcia Gardner Ghosh Gibson Gomez Gonzalez Graham Greco Greene Gruber Guerrero Gupta Haddad Hale Hamilton
Hansen Harper Harris Hartmann Hassan Hayes Healy Henderson Hernandez Hill Hoffmann Holloway Holm Horvath Houston
Hughes Hussain Ibarra Ishikawa Ivanov Jackson Jansen Jensen Johansson Johnson Jones Jordan Kapoor Karlsson Kaya Keller
Kennedy Khan Kim King Kobayashi Koch Kovac Kowalski Kruger Kumar Lambert Larsen Laurent Lee Lefevre Lehmann Leone
Lewis Lincoln Lindqvist Lombardi Lopez Lund MacDonald Madison Mahmoud Maier Mancini Marchetti Marin Marshall Martinez
Mbeki McCarthy McKenna Mehta Mendes Mercer Meyer Miller Mills Mitchell Mokoena Monroe Montgomery Morales Moreau Morgan
Moretti Morris Muller Murphy Nakamura Nelson Neumann Nguyen Nielsen Nkosi Nolan Novak Nunez O'Brien O'Connor Odell
Okafor Okonkwo Olsen Oliveira Ortega Osborne Owens Ozturk Park Pascal Patel Pearson Pereira Perez Petersen Petrov
Petrova Pham Popescu Porter Powell Price Quinn Rahman Ramirez Rao Reed Reyes Rhodes Ricci Richter Rivera Roberts Rojas
Romano Rossi Rousseau Ruiz Russell Ryan Saito Salazar Sanchez Santos Sato Schmidt Schneider Scott Shah Sharma Shaw
Silva Simmons Singh Smith Sokolov Sorensen Stone Suzuki Swanson Takahashi Tanaka Taylor Thompson Torres Tremblay
Turner Vance Vargas Vasquez Vega Vogel Volkov Wagner Walker Wallace Wang Ward Washington Watson Weber Wheeler White
Williams Wilson Winters Wolf Wong Wright Yamamoto Yang Yilmaz Young Zamora Zhang Zhao Zimmermann
""")

CITIES = _words("""
Aberdeen|Abuja|Accra|Adelaide|Addis Ababa|Algiers|Amman|Amsterdam|Ankara|Antwerp|Athens|Atlanta|Auckland|Austin|
Baghdad|Baltimore|Bangkok|Barcelona|Basel|Baton Rouge|Beijing|Beirut|Belfast|Belgrade|Bergen|Berlin|Bilbao|Birmingham|
Bogota|Bologna|Bordeaux|Boston|Boulder|Bratislava|Bremen|Brisbane|Bristol|Brussels|Bucharest|Budapest|Buenos Aires|
Cairo|Calgary|Cambridge|Cape Town|Caracas|Cardiff|Casablanca|Charlotte|Chicago|Cleveland|Cologne|Copenhagen|
Corpus Christi|Dakar|Dallas|Damascus|Dar es Salaam|Denver|Des Moines|Detroit|Dhaka|Dresden|Dubai|Dublin|Durban|
Edinburgh|El Paso|Florence|Fort Worth|Frankfurt|Fresno|Galway|Geneva|Genoa|Ghent|Glasgow|Gothenburg|Grand Rapids|Graz|
Guadalajara|Hamburg|Hanoi|Harare|Havana|Helsinki|Ho Chi Minh City|Hong Kong|Houston|Istanbul|Jackson|Jakarta|
Jerusalem|Johannesburg|Kabul|Kampala|Kansas City|Karachi|Kathmandu|Kiev|Kigali|Kingston|Krakow|Kuala Lumpur|Kyoto|
La Paz|Lagos|Lahore|Las Vegas|Leeds|Leipzig|Lille|Lima|Lincoln|Lisbon|Little Rock|Liverpool|Ljubljana|London|
Long Beach|Los Angeles|Luanda|Lusaka|Luxembourg|Lyon|Madison|Madrid|Malmo|Manchester|Manila|Marseille|Melbourne|
Memphis|Mexico City|Miami|Milan|Minneapolis|Minsk|Montevideo|Montreal|Moscow|Mountain View|Mumbai|Munich|Nairobi|
Nantes|Naples|Nashville|New Delhi|New Haven|New Orleans|Newcastle|Nice|Osaka|Oslo|Ottawa|Oxford|Palm Springs|
Panama City|Paris|Perth|Philadelphia|Phnom Penh|Phoenix|Pittsburgh|Port Louis|Portland|Porto|Prague|Pretoria|
Quebec City|Quito|Reading|Reykjavik|Riga|Rio de Janeiro|Rome|Rotterdam|Sacramento|Salt Lake City|Salzburg|San Antonio|
San Diego|San Francisco|San Jose|San Juan|San Mateo|Santa Barbara|Santa Cruz|Santa Fe|Santiago|Santo Domingo|
Sao Paulo|Sarajevo|Savannah|Seattle|Seoul|Seville|Shanghai|Sheffield|Singapore|Skopje|Sofia|Split|St. Louis|Stockholm|
Stuttgart|Sydney|Taipei|Tallinn|Tampa|Tbilisi|Tehran|Tel Aviv|The Hague|Tirana|Tokyo|Toronto|Toulouse|Tripoli|Tunis|
Turin|Valencia|Vancouver|Venice|Vienna|Vilnius|Warsaw|Washington|Wellington|West Palm Beach|Yokohama|Zagreb|Zurich
""")

COUNTRIES = _words("""
Afghanistan|Albania|Algeria|Angola|Argentina|Armenia|Australia|Austria|Azerbaijan|Bangladesh|Belarus|Belgium|Bolivia|
Bosnia|Botswana|Brazil|Britain|Bulgaria|Cambodia|Cameroon|Canada|Chad|Chile|China|Colombia|Costa Rica|Croatia|Cuba|
Cyprus|Czech Republic|Denmark|Ecuador|Egypt|El Salvador|England|Estonia|Ethiopia|Finland|France|Georgia|Germany|Ghana|
Greece|Guatemala|Haiti|Honduras|Hungary|Iceland|India|Indonesia|Iran|Iraq|Ireland|Israel|Italy|Ivory Coast|Jamaica|
Japan|Jordan|Kazakhstan|Kenya|Kuwait|Laos|Latvia|Lebanon|Libya|Lithuania|Malaysia|Mali|Malta|Mexico|Moldova|Mongolia|
Morocco|Mozambique|Namibia|Nepal|Netherlands|New Zealand|Nicaragua|Niger|Nigeria|North Korea|Norway|Pakistan|Panama|
Paraguay|Peru|Philippines|Poland|Portugal|Qatar|Romania|Russia|Rwanda|Saudi Arabia|Scotland|Senegal|Serbia|
Sierra Leone|Slovakia|Slovenia|Somalia|South Africa|South Korea|Spain|Sri Lanka|Sudan|Sweden|Switzerland|Syria|
Tanzania|Thailand|Togo|Tunisia|Turkey|U.S.|UK|USA|Uganda|Ukraine|United Arab Emirates|United Kingdom|United States|
Uruguay|Venezuela|Vietnam|Wales|Yemen|Zambia|Zimbabwe
""")

PLACES = _words("""
Africa|Alaska|Alsace|Amazon|Andalusia|Andes|Antarctica|Arizona|Asia|Atlantic|Baltic Sea|Bavaria|Black Sea|Bondi Beach|
Bronx|Brooklyn|Caribbean|Catalonia|Central America|Central Park|Chelsea|Colorado|Cornwall|Corsica|Crimea|Danube|
Death Valley|Delaware|Eastern Europe|Europe|Flanders|Florida|Gaza|Ganges|Grand Canyon|Great Lakes|Harlem|Hawaii|
Heathrow|Himalayas|Hyde Park|Illinois|Kashmir|Kent|Lake Geneva|Lake Michigan|Latin America|Loch Ness|Lombardy|
Louisiana|Maine|Manhattan|Maryland|Mediterranean|Middle East|Midlands|Mississippi|Montana|Mount Everest|Mount Fuji|
Nevada|New England|New Jersey|New Mexico|New South Wales|Niagara Falls|Nile|Normandy|North Carolina|North Sea|
Northern Ireland|Ohio|Oklahoma|Ontario|Oregon|Pacific|Patagonia|Pennsylvania|Persian Gulf|Provence|Puerto Rico|
Queensland|Red Sea|Rhine|Sahara|Sardinia|Saxony|Scandinavia|Siberia|Sicily|Silicon Valley|Soho|South Carolina|
South Dakota|Tasmania|Tennessee|Texas|Thames|Third Avenue|Tibet|Times Square|Transylvania|Tuscany|Utah|Vermont|
Victoria Station|Virginia|Wall Street|West Africa|West Bank|West Virginia|Western Australia|Yorkshire
""")

COMPANIES = _words("""
3M|Adidas|Airbus|Alcatel|Amazon|American Express|Apple|AT&T|Audi|BASF|BMW|BP|Bayer|Boeing|Bosch|British Airways|Canon|
Carrefour|Chevron|Cisco|Citigroup|Coca-Cola|Credit Suisse|Daimler|Dell|Delta|Deutsche Bank|Disney|DuPont|eBay|
Ericsson|Exxon|FedEx|Fiat|Ford|Gap|General Electric|General Motors|Goldman Sachs|Google|Heineken|Hitachi|Honda|HSBC|
Hyundai|IBM|IKEA|Intel|Kodak|KLM|Lego|LinkedIn|Lufthansa|Mattel|McDonald's|Merck|Microsoft|Morgan Stanley|Motorola|
Nestle|Netflix|Nike|Nintendo|Nissan|Nokia|Novartis|Nvidia|Oracle|Orange|Panasonic|PepsiCo|Petrobras|Peugeot|Pfizer|
Philips|Porsche|Renault|Roche|Ryanair|Samsung|SAP|Shell|Siemens|Skype|Sony|Spotify|Starbucks|Target|Tesco|Texaco|
Toshiba|Total|Toyota|Twitter|Uber|Unilever|UPS|Visa|Vodafone|Volkswagen|Volvo|Walmart|Wells Fargo|Yahoo|YouTube|Zara|
Brightwater|Cobalt Loop|Datawell|Ferrowerk|Greenhollow|Halcyon|Ironbridge|Lumenta|Mapleworks|Nordvik|Oakline|
Pixelbarn|Quillbox|Redstart|Solvana|Tallgrass|Ubiqo|Verdano|Wavecrest|Zephyrix
""")
COMPANY_TAILS = _words(
    "Inc. | Corp. | Ltd. | Plc | Group | Holdings | Industries | Bank | Airlines | Motors | Energy | Foods | Capital | "
    "Systems | Partners | Steel | Media | Software | Pharmaceuticals | Insurance | & Co | & Sons | Records | Labs"
)

BODIES = _words("""
African Union|Amnesty International|Arab League|Bank of England|Bank of Japan|Bundesbank|Bundestag|CIA|Coast Guard|
Columbia University|Congress|Democratic Party|Department of Justice|EU|European Central Bank|European Commission|
European Parliament|European Union|FBI|Federal Reserve|FIFA|Foreign Ministry|Greenpeace|Harvard University|
High Court of Appeal|Hezbollah|House of Commons|IMF|Interpol|Justice Department|King's College|Knesset|Kremlin|
Labour Party|League of Arab States|Liberal Party|Ministry of Finance|MIT|NASA|NATO|National Gallery|OECD|OPEC|
Oxford University|Parliament|Pentagon|Princeton University|Red Crescent|Red Cross|Republican Party|Royal Navy|
Scotland Yard|Senate|Stanford University|State Department|Supreme Court|UEFA|UN|UNESCO|UNICEF|United Nations|
University of Bologna|University of Michigan|White House|World Bank|World Health Organization|
World Trade Organization|Yale
""")

TEAMS = _words("""
AC Milan|Ajax|Arsenal|Aston Villa|Atlanta Braves|Baltimore Orioles|Barcelona|Bayern Munich|Benfica|Boca Juniors|
Bolton|Boston Celtics|Boston Red Sox|Brisbane Broncos|Buffalo Bills|Celtic|Chelsea|Chicago Bulls|Chicago Cubs|
Cleveland Indians|Colorado Rockies|Dallas Cowboys|Denver Broncos|Derby|Detroit Tigers|Dynamo Kiev|Espanyol|Essex|
Everton|Feyenoord|Fiorentina|Glamorgan|Golden State Warriors|Grasshopper|Green Bay Packers|Hamburg|Hertha Berlin|
Houston Astros|Internazionale|Juventus|Kaiserslautern|Kent|Lazio|Leeds|Leicester|Liverpool|Los Angeles Lakers|
Manchester City|Manchester United|Miami Dolphins|Middlesbrough|Monaco|Montreal Canadiens|Nantes|Newcastle|
Nottingham Forest|Oakland Raiders|Orlando Magic|PSV Eindhoven|Panathinaikos|Paris St Germain|Parma|Phoenix Suns|
Pittsburgh Steelers|Porto|Rangers|Real Madrid|Red Star Belgrade|River Plate|Roma|Sampdoria|San Francisco Giants|
Seattle Mariners|Sevilla|Sheffield Wednesday|Southampton|Sparta Prague|Sporting|Surrey|Texas Rangers|Toronto Raptors|
Tottenham|Utah Jazz|Valencia|Werder Bremen|West Ham|Wimbledon|Wolves
""")

MEDIA = _words("""
ABC|Al Ahram|Associated Press|BBC|Bloomberg|CBS|CNN|Corriere della Sera|Daily Courier|Daily Mail|Der Spiegel|Die Zeit|
El Pais|Evening Ledger|Financial Times|Fox News|Globe|Haaretz|Izvestia|La Stampa|Le Monde|MTV|Morning Herald|NBC|
New Scientist|Northern Echo|People's Daily|Rolling Stone|Sky News|Sunday Times|The Economist|The Guardian|The Times|
Time|USA Today|Vogue|Wall Street Journal|Wired|Xinhua
""")

NATIONS = _words("""
Afghan|Albanian|Algerian|American|Argentine|Armenian|Asian|Australian|Austrian|Belgian|Bolivian|Bosnian|
Brazilian|British|Bulgarian|Canadian|Chechen|Chilean|Chinese|Colombian|Croatian|Cuban|Czech|Danish|
Dutch|Egyptian|English|Ethiopian|European|Finnish|French|Georgian|German|Ghanaian|Greek|Hungarian|Icelandic|Indian|
Indonesian|Iranian|Iraqi|Irish|Israeli|Italian|Jamaican|Japanese|Jordanian|Kenyan|Korean|Kurdish|
Latvian|Lebanese|Libyan|Malaysian|Mexican|Moroccan|Nepalese|Nigerian|North Korean|Norwegian|Pakistani|
Palestinian|Peruvian|Polish|Portuguese|Romanian|Russian|Scottish|Serbian|Slovak|Somali|South African|South Korean|
Spanish|Swedish|Swiss|Syrian|Tamil|Thai|Tunisian|Turkish|Ukrainian|Vietnamese|Welsh
""")

CUPS = _words("""
Africa Cup|Australian Open|Berlin Marathon|Boston Marathon|British Grand Prix|Champions League|Commonwealth Games|
Copa America|Cup Winners' Cup|Davis Cup|European Championship|Fed Cup|FA Cup|Formula One|French Open|
German Grand Prix|Masters|Olympic Games|Pan American Games|Premier League|Rugby World Cup|Ryder Cup|Six Nations|
Stanley Cup|Super Bowl|Superbike Championship|Tour de France|U.S. Open|UEFA Cup|Wimbledon|Winter Olympics|World Cup|
World Series
""")

FESTIVALS = _words("""
Berlin Film Festival|Black Friday|Burning Man|Cannes Film Festival|Christmas|Coachella|Comic Con|Diwali|Easter|
Eurovision|Fashion Week|Glastonbury|Golden Globes|Grammy Awards|Halloween|Hanukkah|London Book Fair|Mardi Gras|
MTV Video Music Awards|New Year|Notting Hill Carnival|Oktoberfest|Oscars|Paris Air Show|Ramadan|Thanksgiving|
Valentine's Day|Venice Biennale
""")

WARS = _words("""
American Civil War|Battle of Britain|Boxer Rebellion|Cold War|Congress of Vienna|Crimean War|French Revolution|
Great Depression|Gulf War|Industrial Revolution|Korean War|Peace of Utrecht|Renaissance|Second World War|Six-Day War|
Spanish Civil War|Thirty Years War|Uruguay Round|Vietnam War|World War I|World War Two
""")

PRODUCTS = _words("""
737 MAX|A380|Android|Boeing 747|Camry|Chromebook|Civic|Concorde|Corolla|Excel|Galaxy S4|Game Boy|Gmail|Golf|
Google Maps|iMac|iPad|iPhone|iPhone 6|Java|Jeep|Kindle|Land Rover|Linux|MacBook Pro|Minecraft|Mini Cooper|Model T|
Nexus 7|Nobel Prize|Nutella|Office 365|Photoshop|PlayStation|PlayStation 4|Pokemon|Prius|Prozac|Python|Range Rover|
Sputnik|Tetris|Tylenol|Walkman|Wii|Windows|Windows 95|Xbox|Xbox One
""")

WORKS = _words("""
A Tale of Two Cities|Abbey Road|Anna Karenina|Bible|Blade Runner|Casablanca|Citizen Kane|Doctor Who|Don Giovanni|
Don Quixote|Dracula|Frankenstein|Game of Thrones|Great Expectations|Guernica|Hamlet|House of Cards|Jane Eyre|
King Lear|Koran|La Traviata|Macbeth|Middlemarch|Moby Dick|Mona Lisa|Night Watch|Oliver Twist|Othello|Purple Rain|
Romeo and Juliet|Sesame Street|Star Trek|Star Wars|Swan Lake|The Glass Orchard|The Godfather|The Long Harbour|
The Simpsons|Titanic|Treasure Island|Twin Peaks|Ulysses|War and Peace|Winter in Salt|X Factor
""")

# Words that are no names.
DAYS = _words("Monday Tuesday Wednesday Thursday Friday Saturday Sunday")
MONTHS = _words("January February March April May June July August September October November December")
JOBS = _words(
    "chairman | chief executive | president | head coach | spokeswoman | engineer | driver | nurse | "
    "finance director | analyst | chief economist | lawyer | curator | treasurer"
)
ADVERBS = _words(
    "last year | this week | on Tuesday night | in early May | again | years ago | at the weekend | overnight | "
    "in 1987 | with great care | for the third time | after the war | in March"
)
FACES = _words(":) :( ;) :D :P xD <3 :/ ^_^ 😂 😭 ❤️ 🔥 🙌")
TAGS = _words(
    "#love #nowplaying #job #fail #football #news #win #Monday #travel #tbt #WorldCup #hiring #London #election #ff #np"
)
