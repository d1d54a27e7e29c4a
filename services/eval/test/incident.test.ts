import { testIncident } from "./incident-suite.ts";

testIncident({});
