/** Swabber's topic: the second frame is an address to ban. All other topics carry orders in JSON. */
export const SWABBER_TOPIC = "swabber_bans";
/** Our own topic, for detectors that say more than an address. */
export const ORDERS_TOPIC = "stoplog_orders";
