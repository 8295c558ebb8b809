using Google.Api;
using Google.Protobuf.Reflection;
using FieldType = Google.Protobuf.Reflection.FieldDescriptorProto.Types.Type;

namespace FwCluster.Control.Tests.Compatibility;

/// <summary>What programs that were compiled against the API rely on, a line for each thing: a line that is gone breaks some of them.</summary>
internal static class ApiSurface
{
    /// <summary>The lines of files, sorted.</summary>
    public static IReadOnlyList<string> Of(IEnumerable<FileDescriptorProto> files)
    {
        var lines = new List<string>();
        foreach (var file in files)
        {
            foreach (var message in file.MessageType) AddMessage(lines, $"{file.Package}.{message.Name}", message);
            foreach (var type in file.EnumType) AddEnum(lines, $"{file.Package}.{type.Name}", type);
            foreach (var service in file.Service)
                foreach (var method in service.Method)
                    AddMethod(lines, $"{file.Package}.{service.Name}/{method.Name}", method);
        }
        lines.Sort(StringComparer.Ordinal);
        return lines;
    }

    private static void AddMessage(List<string> lines, string name, DescriptorProto message)
    {
        lines.Add($"message {name}");
        foreach (var field in message.Field)
        {
            // By number over the wire, by name in JSON and in generated code.
            var type = field.Type is FieldType.Message or FieldType.Enum ? $"{field.Type} {field.TypeName}" : field.Type.ToString();
            var presence = field.Proto3Optional ? " optional" : "";
            lines.Add($"field {name} {field.Number} {field.Name} {field.Label} {type}{presence}");
        }
        foreach (var inner in message.NestedType) AddMessage(lines, $"{name}.{inner.Name}", inner);
        foreach (var inner in message.EnumType) AddEnum(lines, $"{name}.{inner.Name}", inner);
    }

    private static void AddEnum(List<string> lines, string name, EnumDescriptorProto type)
    {
        foreach (var value in type.Value) lines.Add($"enum {name} {value.Number} {value.Name}");
    }

    private static void AddMethod(List<string> lines, string name, MethodDescriptorProto method)
    {
        var streams = (method.ClientStreaming ? "stream " : "", method.ServerStreaming ? "stream " : "");
        lines.Add($"method {name} ({streams.Item1}{method.InputType}) returns ({streams.Item2}{method.OutputType})");
        if (method.Options?.GetExtension(AnnotationsExtensions.Http) is not { } http) return;
        foreach (var rule in http.AdditionalBindings.Prepend(http))
        {
            var (verb, path) = rule.PatternCase == HttpRule.PatternOneofCase.Get ? ("GET", rule.Get) : ("POST", rule.Post);
            lines.Add($"http {name} {verb} {path} {rule.Body}".TrimEnd());
        }
    }
}
