// Makes the replica set, and users: for each service one that can reach its own database only, one that can read all
// four for a backup, one that can fill them from it. Safe to repeat: a password that has changed in the secrets is
// changed in the database.
const fs = require("fs");

const SERVICES = ["enrollment", "sessions", "notifications", "reporting"];
const PATIENCE_MS = 120000;
const MAJORITY = { w: "majority", wtimeout: 30000 };

function secret(name) {
  return fs.readFileSync(`/run/secrets/${name}`, "utf8").trim();
}

function patiently(what, attempt) {
  const end = Date.now() + PATIENCE_MS;
  for (;;) {
    let reason = "not yet";
    try {
      const result = attempt();
      if (result) return result;
    } catch (error) {
      reason = error.message;
    }
    if (Date.now() > end) throw new Error(`${what}: ${reason}`);
    sleep(500);
  }
}

function connected() {
  const password = encodeURIComponent(secret("mongodb-root-password"));
  const address = `mongodb://root:${password}@mongodb:27017/?directConnection=true&authSource=admin`;
  const admin = new Mongo(address).getDB("admin");
  admin.runCommand({ ping: 1 });
  return admin;
}

function initiate(admin) {
  const members = [{ _id: 0, host: "mongodb:27017" }];
  try {
    admin.runCommand({ replSetInitiate: { _id: "bina", members } });
    print("The replica set is made.");
  } catch (error) {
    if (error.codeName !== "AlreadyInitialized") throw error;
  }
}

function ensureUser(database, name, role, services) {
  const password = new URL(secret(`mongodb-uri-${name}`).replace("mongodb:", "http:")).password;
  const roles = services.map((service) => ({ role, db: `bina_${service}` }));
  const user = { pwd: decodeURIComponent(password), roles };
  if (database.getUser(name)) {
    database.updateUser(name, user, MAJORITY);
  } else {
    database.createUser({ user: name, ...user }, MAJORITY);
    print(`The user of ${name} is made.`);
  }
}

const admin = patiently("MongoDB can't be reached", connected);
initiate(admin);
patiently("The replica set has no primary", () => admin.runCommand({ hello: 1 }).isWritablePrimary);
SERVICES.forEach((service) => ensureUser(admin.getSiblingDB(`bina_${service}`), service, "readWrite", [service]));
ensureUser(admin, "backup", "read", SERVICES);
ensureUser(admin, "restore", "readWrite", SERVICES);
print("MongoDB is ready.");
