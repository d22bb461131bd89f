import { guest, type Service } from "./service.ts";

/** nginx's access.log in the format 'combined'. */
export const nginx: Service = {
  filter: "nginx-scan",
  failure(stamp, address, random) {
    const request = random.pick(PROBES);
    return `${address} - - [${stamp.clf}] "${request} HTTP/1.1" 404 ${150 + random.below(40)} "-" "${random.pick(SCANNERS)}"`;
  },
  noise(stamp, random) {
    const status = random.below(20) === 0 ? 304 : 200;
    const page = `/${random.pick(PLACES)}/${random.hex(6)}${random.pick(KINDS)}`;
    const from = random.below(3) === 0 ? "-" : `https://www.example.org/${random.pick(PLACES)}/`;
    return `${guest(random)} - - [${stamp.clf}] "GET ${page} HTTP/1.1" ${status} ${random.below(90_000)} "${from}" "${random.pick(BROWSERS)}"`;
  },
};

const PROBES = [
  "GET /.env",
  "GET /.git/config",
  "POST /wp-login.php",
  "POST /xmlrpc.php",
  "GET /phpmyadmin/index.php",
  "GET /cgi-bin/luci",
];
const SCANNERS = ["python-requests/2.31.0", "Mozilla/5.0", "Go-http-client/1.1", "curl/7.88.1"];
const PLACES = ["articles", "images", "assets", "shop", "help", "news", "static", "api/v2"];
const KINDS = ["", ".html", ".css", ".js", ".png", ".webp", ".svg"];
const BROWSERS = [
  "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
  "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36",
  "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Mobile/15E148",
];
