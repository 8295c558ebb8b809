namespace FwCluster.Cli;

/// <summary>Says why a file could not be used, in the words of people and not of the runtime.</summary>
internal static class FileMessage
{
    /// <summary>One sentence: <c>cannot read rules.txt: there is no such file</c>.</summary>
    public static string For(string what, string path, Exception exception) => $"{what} {path}: " + exception switch
    {
        FileNotFoundException or DirectoryNotFoundException => "there is no such file",
        UnauthorizedAccessException when Directory.Exists(path) => "it is a directory",
        UnauthorizedAccessException => "permission denied",
        _ => exception.Message,
    };
}
