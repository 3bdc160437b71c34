// Holds docs/asyncapi.json against AsyncAPI's own schema, and a message (standard input: a fact, or a list of facts of one kind) against the document.
const fs = require("fs");
const Ajv = require("ajv");
const schema = require("@asyncapi/specs/schemas/3.0.0-without-$id.json");

const held = JSON.parse(fs.readFileSync(process.argv[2], "utf8"));
const ajv = new Ajv({ strict: false, allErrors: true });
require("ajv-formats")(ajv);
const complain = (what, errors) => {
  console.error(what, JSON.stringify(errors.slice(0, 5), null, 1));
  process.exit(1);
};
const isDocument = ajv.compile(schema);
if (!isDocument(held)) complain("the document is no AsyncAPI 3:", isDocument.errors);

const fact = JSON.parse(fs.readFileSync(0, "utf8"));
ajv.addSchema({ $id: "document", components: held.components });
const several = Array.isArray(fact);
const message = held.components.messages[several ? `${fact[0].type}.several` : fact.type];
const refs = JSON.parse(JSON.stringify(message.payload).replaceAll('"#/', '"document#/'));
const isFact = ajv.compile(refs);
if (!isFact(fact)) complain("the fact is not as the document says:", isFact.errors);
const declared = Object.keys(held.components.schemas.CloudEvent.properties);
const strange = Object.keys(several ? fact[0] : fact).filter((name) => !declared.includes(name));
if (strange.length) complain("the document does not tell of", strange);
