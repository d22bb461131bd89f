/** The two families of IP addresses. */
export type Family = "v4" | "v6";
