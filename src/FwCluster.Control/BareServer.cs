using Microsoft.AspNetCore.Builder;

namespace FwCluster.Control;

/// <summary>Where the daemon's servers begin: with no configuration but what the daemon gives them.</summary>
public static class BareServer
{
    /// <summary>A builder that reads no settings from files, environment or command line, and watches none: by default ASP.NET Core would watch all folders
    /// below the one that the process was started in, which for a service is the root of the file system.</summary>
    public static WebApplicationBuilder CreateBuilder()
    {
        var builder = WebApplication.CreateSlimBuilder(new WebApplicationOptions
        {
            ContentRootPath = AppContext.BaseDirectory, Args = ["--hostBuilder:reloadConfigOnChange=false"],
        });
        builder.Configuration.Sources.Clear();
        return builder;
    }
}
