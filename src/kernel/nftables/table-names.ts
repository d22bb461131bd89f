// Our tables in family inet, beside `stoplog`. Apart from the code that writes them, which is loaded only when they are needed.

export const LISTS_TABLE = "stoplog_lists";
export const KERNEL_TABLE = "stoplog_kernel";
