import { storeContract } from "./contract.ts";
import { drivers } from "./drivers.ts";

for (const driver of drivers) storeContract(driver);
