using System.Runtime.InteropServices;
using BenchmarkDotNet.Columns;
using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Diagnosers;
using BenchmarkDotNet.Environments;
using BenchmarkDotNet.Exporters;
using BenchmarkDotNet.Exporters.Json;
using BenchmarkDotNet.Filters;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Loggers;
using BenchmarkDotNet.Order;
using BenchmarkDotNet.Toolchains;
using BenchmarkDotNet.Toolchains.CsProj;
using BenchmarkDotNet.Toolchains.DotNetCli;
using BenchmarkDotNet.Toolchains.NativeAot;
using Perfolizer.Horology;

namespace Native.LibUsb.Benchmarks.Running;

/// <summary>Configures each benchmark to run twice: compiled just in time, and compiled ahead of time.</summary>
internal static class BenchmarkConfiguration
{
    public static IConfig Create(IReadOnlyDictionary<string, string> environment, bool isShort, bool jit, bool aot, string folder)
    {
        // In a short run, each benchmark takes less than a second. The warm-up takes a large part of this time, because the just-in-time compiler compiles hot
        // code three times, with a pause of a tenth of a second before the second and the third time.
        Job shape = isShort
            ? Job.Default.WithIterationTime(TimeInterval.FromMilliseconds(25)).WithWarmupCount(10).WithIterationCount(7)
            : Job.Default.WithIterationTime(TimeInterval.FromMilliseconds(200)).WithMinWarmupCount(6).WithMaxWarmupCount(12).WithMinIterationCount(12).WithMaxIterationCount(20);
        shape = shape.WithLaunchCount(1).WithEnvironmentVariables([.. environment.Select(pair => new EnvironmentVariable(pair.Key, pair.Value))]);

        ManualConfig config = ManualConfig.CreateEmpty()
            .AddColumnProvider(DefaultColumnProviders.Instance)
            .AddDiagnoser(MemoryDiagnoser.Default)
            .AddExporter(JsonExporter.Brief, MarkdownExporter.GitHub)
            .AddLogger(ConsoleLogger.Default)
            .WithOrderer(new DefaultOrderer(SummaryOrderPolicy.Declared, MethodOrderPolicy.Declared))
            .WithArtifactsPath(folder);
        if (jit)
            config.AddJob(JustInTime(shape));
        if (aot)
            config.AddJob(AheadOfTime(shape));
        return isShort ? config.AddFilter(new AnyCategoriesFilter([Categories.Short])) : config;
    }

    private static Job JustInTime(Job shape)
    {
        string framework = BuildFacts.TargetFramework, name = ".NET " + framework[3..];
        return shape.WithId("JIT")
            .WithRuntime(CoreRuntime.CreateForNewVersion(framework, name))
            .WithToolchain(Toolchain(CsProjCoreToolchain.From(new NetCoreAppSettings(framework, null, name)), new GeneratedProject(framework, null)));
    }

    private static Job AheadOfTime(Job shape)
    {
        string framework = BuildFacts.TargetFramework, name = "Native AOT " + framework[3..];
        // The version and the feed are empty, because GeneratedProject uses those of this machine.
        IToolchain toolchain = NativeAotToolchain.CreateBuilder().UseNuGet("", "").TargetFrameworkMoniker(framework).DisplayName(name).ToToolchain();
        return shape.WithId("AOT")
            .WithRuntime(NativeAotRuntime.Net90) // the newest value in BenchmarkDotNet; the toolchain determines the actual runtime
            .WithToolchain(Toolchain(toolchain, new GeneratedProject(framework, RuntimeInformation.RuntimeIdentifier)));
    }

    /// <summary>
    /// Returns a copy of one of BenchmarkDotNet's toolchains. The copy builds our project and does not check the version of the SDK. The check of
    /// BenchmarkDotNet would fail, because it requires exactly version 9, which is the newest version that it supports.
    /// </summary>
    private static Toolchain Toolchain(IToolchain toolchain, GeneratedProject project) =>
        new(toolchain.Name, project, toolchain.Builder, toolchain.Executor);
}
