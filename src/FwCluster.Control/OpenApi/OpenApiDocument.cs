using System.Text.Json.Nodes;
using FwCluster.Api.V1;
using FwCluster.Control.Access;
using Google.Api;
using Google.Protobuf.Reflection;

namespace FwCluster.Control.OpenApi;

/// <summary>Describes the API by JSON as an OpenAPI document, from the descriptors that the services are made of and the comments in their protos.</summary>
internal sealed class OpenApiDocument
{
    private static readonly FileDescriptor[] Files =
    [
        RulesetReflection.Descriptor, ConntrackReflection.Descriptor, CountersReflection.Descriptor, ClusterReflection.Descriptor,
        HelperReflection.Descriptor, CaptureReflection.Descriptor, SettingsReflection.Descriptor,
    ];

    private readonly JsonObject _schemas = [];

    private OpenApiDocument()
    {
    }

    /// <summary>The document.</summary>
    public static string Json { get; } = new OpenApiDocument().Build().ToJsonString(new System.Text.Json.JsonSerializerOptions
    {
        WriteIndented = true, Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    });

    private JsonObject Build()
    {
        var paths = new JsonObject();
        foreach (var service in Files.SelectMany(file => file.Services))
            foreach (var method in service.Methods)
                AddMethod(paths, service, method);
        _schemas["Status"] = new JsonObject
        {
            ["type"] = "object",
            ["description"] = "Why a call was refused.",
            ["properties"] = new JsonObject
            {
                ["code"] = new JsonObject { ["type"] = "integer", ["description"] = "The code of gRPC: 3 for INVALID_ARGUMENT and so on." },
                ["message"] = new JsonObject { ["type"] = "string", ["description"] = "Why, for people." },
            },
        };
        return new JsonObject
        {
            ["openapi"] = "3.1.0",
            ["info"] = new JsonObject { ["title"] = "FwCluster", ["version"] = "v1", ["description"] = "The control plane: rules, connections, counters, nodes." },
            ["security"] = new JsonArray(new JsonObject { ["certificate"] = new JsonArray() }, new JsonObject { ["token"] = new JsonArray() }),
            ["paths"] = paths,
            ["components"] = new JsonObject
            {
                ["schemas"] = _schemas,
                ["securitySchemes"] = new JsonObject
                {
                    ["certificate"] = new JsonObject { ["type"] = "mutualTLS" },
                    ["token"] = new JsonObject { ["type"] = "http", ["scheme"] = "bearer" },
                },
            },
        };
    }

    private void AddMethod(JsonObject paths, ServiceDescriptor service, MethodDescriptor method)
    {
        if (method.GetOptions()?.GetExtension(AnnotationsExtensions.Http) is not { } http) return;
        var number = 0;
        foreach (var rule in http.AdditionalBindings.Prepend(http))
        {
            var isGet = rule.PatternCase == HttpRule.PatternOneofCase.Get;
            var path = isGet ? rule.Get : rule.Post;
            var comment = ProtoComments.Of(method.FullName);
            var operation = new JsonObject
            {
                ["operationId"] = $"{service.Name}_{method.Name}{(number++ > 0 ? $"_{number}" : "")}",
                ["tags"] = new JsonArray(service.Name),
                ["summary"] = comment.Split('.')[0],
                ["description"] = comment,
                ["x-role"] = Access.MethodPolicy.Find($"/{service.FullName}/{method.Name}")?.Role.Name(),
                ["parameters"] = Parameters(method.InputType, path, isGet),
                ["responses"] = new JsonObject
                {
                    ["200"] = Content(Reference(method.OutputType), method.IsServerStreaming ? "A line of JSON for each message, as they come." : "Done."),
                    ["default"] = Content(new JsonObject { ["$ref"] = "#/components/schemas/Status" }, "Refused."),
                },
            };
            if (!isGet) operation["requestBody"] = Content(Reference(method.InputType), null);
            if (paths[path] is not JsonObject verbs) paths[path] = verbs = [];
            verbs[isGet ? "get" : "post"] = operation;
        }
    }

    private static JsonObject Content(JsonNode schema, string? description)
    {
        var content = new JsonObject { ["content"] = new JsonObject { ["application/json"] = new JsonObject { ["schema"] = schema } } };
        if (description is not null) content["description"] = description;
        return content;
    }

    private JsonArray Parameters(MessageDescriptor request, string path, bool isGet)
    {
        var parameters = new JsonArray();
        foreach (var field in request.Fields.InDeclarationOrder())
        {
            var isInPath = path.Contains($"{{{field.Name}}}", StringComparison.Ordinal);
            if (isInPath || (isGet && field.FieldType != FieldType.Message)) AddParameter(parameters, field, field.JsonName, isInPath);
            else if (isGet) // the fields of a filter, filter.source and so on
                foreach (var inner in field.MessageType.Fields.InDeclarationOrder())
                    AddParameter(parameters, inner, $"{field.JsonName}.{inner.JsonName}", false);
        }
        return parameters;
    }

    private void AddParameter(JsonArray parameters, FieldDescriptor field, string name, bool isInPath) => parameters.Add(new JsonObject
    {
        ["name"] = name,
        ["in"] = isInPath ? "path" : "query",
        ["required"] = isInPath,
        ["description"] = ProtoComments.Of(field.FullName),
        ["schema"] = SchemaOf(field),
    });

    private JsonObject Reference(MessageDescriptor message)
    {
        if (!_schemas.ContainsKey(message.Name))
        {
            var properties = new JsonObject();
            _schemas[message.Name] = new JsonObject { ["type"] = "object", ["description"] = ProtoComments.Of(message.FullName), ["properties"] = properties };
            foreach (var field in message.Fields.InDeclarationOrder())
            {
                var schema = SchemaOf(field);
                schema["description"] = ProtoComments.Of(field.FullName);
                properties[field.JsonName] = schema;
            }
        }
        return new JsonObject { ["$ref"] = $"#/components/schemas/{message.Name}" };
    }

    private JsonObject SchemaOf(FieldDescriptor field)
    {
        if (field.IsMap) return new JsonObject { ["type"] = "object", ["additionalProperties"] = SingleOf(field.MessageType.FindFieldByNumber(2)) };
        return field.IsRepeated ? new JsonObject { ["type"] = "array", ["items"] = SingleOf(field) } : SingleOf(field);
    }

    /// <summary>How protobuf's JSON writes a value.</summary>
    private JsonObject SingleOf(FieldDescriptor field) => field.FieldType switch
    {
        FieldType.Bool => new JsonObject { ["type"] = "boolean" },
        FieldType.UInt32 or FieldType.Int32 => new JsonObject { ["type"] = "integer" },
        FieldType.UInt64 or FieldType.Int64 => new JsonObject { ["type"] = "string", ["pattern"] = "^-?[0-9]+$" },
        FieldType.Enum => new JsonObject { ["type"] = "string", ["enum"] = new JsonArray([.. field.EnumType.Values.Select(v => JsonValue.Create(v.Name))]) },
        FieldType.Message => field.MessageType.FullName switch
        {
            "google.protobuf.Timestamp" => new JsonObject { ["type"] = "string", ["format"] = "date-time" },
            "google.protobuf.Duration" => new JsonObject { ["type"] = "string", ["pattern"] = "^[0-9]+(\\.[0-9]+)?s$" },
            _ => Reference(field.MessageType),
        },
        _ => new JsonObject { ["type"] = "string" },
    };
}
