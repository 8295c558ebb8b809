namespace FwCluster.Rules.Evaluation;

/// <summary>The tables, in the order in which a hook runs them.</summary>
public enum TableId : byte
{
    /// <summary>Before tracking.</summary>
    Raw = 0,

    /// <summary>Changes packets.</summary>
    Mangle = 1,

    /// <summary>Lets packets pass, or not.</summary>
    Filter = 2,
}

/// <summary>Names of <see cref="TableId"/> as rules write them.</summary>
public static class TableIdExtensions
{
    /// <summary>The name after <c>-t</c>.</summary>
    public static string Name(this TableId table) => table switch
    {
        TableId.Raw => "raw",
        TableId.Mangle => "mangle",
        _ => "filter",
    };

    /// <summary>The table of this name; false where there is none.</summary>
    public static bool TryParse(string name, out TableId table)
    {
        table = name switch
        {
            "raw" => TableId.Raw,
            "mangle" => TableId.Mangle,
            _ => TableId.Filter,
        };
        return table.Name() == name;
    }
}
