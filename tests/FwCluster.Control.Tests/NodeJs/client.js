// A client that knows nothing of the product but its published protos, or not even these: node client.js protos|reflection ADDRESS FOLDER PROTOS
// It applies rules, watches connections until something is expected, reads the counters, and prints a line of JSON for each step.
'use strict';
const fs = require('fs');
const path = require('path');
const grpc = require('@grpc/grpc-js');
const loader = require('@grpc/proto-loader');

const [mode, address, folder, protos] = process.argv.slice(2);
const options = { keepCase: true, longs: String, enums: String, defaults: true, oneofs: true };
const read = name => fs.readFileSync(path.join(folder, name));
const credentials = grpc.credentials.createSsl(read('ca.crt'), read('operator.key'), read('operator.crt'));
const tell = (step, more) => console.log(JSON.stringify({ step, ...more }));
const call = (client, method, request) => new Promise((done, fail) => client[method](request, (error, answer) => error ? fail(error) : done(answer)));

function fromProtos() {
    const include = [protos, path.dirname(require.resolve('protobufjs/package.json'))]; // which has google/api
    return loader.loadSync(['ruleset', 'conntrack', 'counters'].map(name => `fwcluster/v1/${name}.proto`), { ...options, includeDirs: include });
}

// Asks the server for its descriptors, and theirs, until none is missing.
async function fromReflection() {
    const home = path.dirname(require.resolve('@grpc/reflection/package.json'));
    const found = fs.readdirSync(home, { recursive: true }).find(file => /v1[\\/]reflection\.proto$/.test(file));
    const definition = grpc.loadPackageDefinition(loader.loadSync(path.join(home, found), options));
    const stream = new definition.grpc.reflection.v1.ServerReflection(address, credentials).ServerReflectionInfo();
    const answers = stream[Symbol.asyncIterator]();
    const ask = async request => {
        stream.write(request);
        return (await answers.next()).value;
    };
    const listed = await ask({ list_services: '' });
    const services = listed.list_services_response.service.map(service => service.name).filter(name => name.startsWith('fwcluster.'));
    const files = new Map();
    for (const service of services) {
        const answer = await ask({ file_containing_symbol: service });
        for (const file of answer.file_descriptor_response.file_descriptor_proto) files.set(file.toString('base64'), file);
    }
    stream.end();
    const { FileDescriptorSet, FileDescriptorProto } = require('protobufjs/ext/descriptor');
    return loader.loadFileDescriptorSetFromBuffer(
        FileDescriptorSet.encode({ file: [...files.values()].map(file => FileDescriptorProto.decode(file)) }).finish(), options);
}

async function main() {
    const api = grpc.loadPackageDefinition(mode === 'protos' ? fromProtos() : await fromReflection()).fwcluster.v1;
    const rules = new api.RulesetService(address, credentials);
    const text = '*filter\n:INPUT ACCEPT [0:0]\n:FORWARD DROP [0:0]\n:OUTPUT ACCEPT [0:0]\n-A FORWARD -p tcp -j ACCEPT\nCOMMIT\n';
    const applied = await call(rules, 'Apply', { rules: { ipv4: text }, comment: mode });
    tell('applied', { generation: applied.generation.number, author: applied.generation.author });

    const watch = new api.ConntrackService(address, credentials).Watch({ filter: { destination_port: '21' } });
    const kinds = [];
    for await (const event of watch) {
        kinds.push(event.kind);
        if (event.kind === 'KIND_WATCHING') tell('watching');
        if (event.kind !== 'KIND_EXPECTATION') continue;
        tell('expected', { kinds, destination: event.expectation.tuple.destination, port: event.expectation.tuple.destination_port });
        break;
    }
    watch.cancel();

    const counters = await call(new api.CountersService(address, credentials), 'Read', { selection: { table: 'filter', chain: 'FORWARD' } });
    tell('counted', { rule: counters.chains[0].rules[0].rule, packets: counters.chains[0].rules[0].packets });

    const nobody = new api.RulesetService(address, grpc.credentials.createSsl(read('ca.crt')));
    await call(nobody, 'Get', {}).catch(error => tell('refused', { code: error.code, details: error.details }));
    process.exit(0);
}

main().catch(error => {
    console.error(error);
    process.exit(1);
});
