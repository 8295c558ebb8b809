using System.Text.Json.Serialization;

namespace FwCluster.Node.Kubernetes;

/// <summary>An Event of Kubernetes (core/v1): those of its fields that are said here.</summary>
internal sealed record RulesEvent
{
    public string ApiVersion { get; } = "v1";

    public string Kind { get; } = "Event";

    public required RulesEventMetadata Metadata { get; init; }

    public required RulesEventObject InvolvedObject { get; init; }

    public required string Type { get; init; }

    public required string Reason { get; init; }

    public required string Message { get; init; }

    public required RulesEventSource Source { get; init; }

    public required string FirstTimestamp { get; init; }

    public required string LastTimestamp { get; init; }

    public required int Count { get; init; }
}

/// <summary>Its name's beginning, and its namespace, which is that of what it is about.</summary>
internal sealed record RulesEventMetadata(string GenerateName, string Namespace);

/// <summary>What it is about.</summary>
internal sealed record RulesEventObject(string ApiVersion, string Kind, string Name, string Namespace);

/// <summary>Who says it.</summary>
internal sealed record RulesEventSource(string Component, string Host);

/// <summary>Its JSON, as the API has it.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(RulesEvent))]
internal sealed partial class RulesEventJson : JsonSerializerContext;
