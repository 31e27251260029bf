using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Diagnosers;
using BenchmarkDotNet.Environments;
using BenchmarkDotNet.Exporters.Json;
using BenchmarkDotNet.Filters;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Order;
using BenchmarkDotNet.Toolchains.NativeAot;
using Perfolizer.Horology;

namespace Native.LibUsb.Benchmarks.Running;

/// <summary>Configures each benchmark to run twice: compiled just in time, and compiled ahead of time.</summary>
internal static class BenchmarkConfiguration
{
    // For each job, BenchmarkDotNet builds our projects again, and generates a project for the program of the job. This project imports Directory.Build.props
    // of our repository. The following arguments override some properties of that file. The analyzers do not run, because the normal build has already checked
    // our projects. Warnings do not become errors, because the AOT compiler reports warnings in BenchmarkDotNet's code.
    private static readonly Argument[] s_buildArguments =
    [
        new MsBuildArgument("-p:GenerateDocumentationFile=false"),
        new MsBuildArgument("-p:RunAnalyzers=false"),
        new MsBuildArgument("-p:MSBuildTreatWarningsAsErrors=false"),
    ];

    public static IConfig Create(IReadOnlyDictionary<string, string> environment, bool isShort, bool jit, bool aot, string folder)
    {
        // In a short run, each benchmark takes less than a second.
        Job shape = isShort
            ? Job.Default.WithIterationTime(TimeInterval.FromMilliseconds(25)).WithWarmupCount(10).WithIterationCount(7)
            : Job.Default.WithIterationTime(TimeInterval.FromMilliseconds(200)).WithMinWarmupCount(6).WithMaxWarmupCount(12).WithMinIterationCount(12).WithMaxIterationCount(20);
        shape = shape.WithLaunchCount(1).WithEnvironmentVariables([.. environment.Select(pair => new EnvironmentVariable(pair.Key, pair.Value))])
            .WithArguments(s_buildArguments);

        ManualConfig config = DefaultConfig.Instance
            .AddDiagnoser(MemoryDiagnoser.Default)
            .AddExporter(JsonExporter.Brief)
            .WithOrderer(new DefaultOrderer(SummaryOrderPolicy.Declared, MethodOrderPolicy.Declared))
            .WithArtifactsPath(folder)
            .WithBuildTimeout(TimeSpan.FromMinutes(10)); // on a loaded machine, the AOT compiler takes longer than the default of two minutes
        if (jit)
        {
            // The just-in-time compiler compiles hot code three times. By default, it waits until no new method has been called for 100 ms before it compiles the
            // code again. In a short run, the warm-up would sometimes end before the last compilation, and the benchmark would measure unoptimized code.
            config.AddJob(shape.WithId("JIT").WithRuntime(CoreRuntime.Core10_0).WithEnvironmentVariable("DOTNET_TC_CallCountingDelayMs", "0"));
        }

        if (aot)
        {
            // BenchmarkDotNet's default toolchain for Native AOT adds a package feed to the feeds of the machine. Our toolchain must not add a source of
            // packages, but BenchmarkDotNet requires a feed. Our toolchain therefore uses the folder of the job as the feed. This folder contains no packages.
            config.AddJob(shape.WithId("AOT").WithRuntime(NativeAotRuntime.Net10_0)
                .WithToolchain(NativeAotToolchain.CreateBuilder().UseNuGet(nuGetFeedUrl: ".").TargetFrameworkMoniker("net10.0").ToToolchain())
                .WithArguments([.. s_buildArguments, new MsBuildArgument($"-p:CustomAfterMicrosoftCommonTargets=\"{AppContext.BaseDirectory}AheadOfTime.targets\"")]));
        }

        return isShort ? config.AddFilter(new AnyCategoriesFilter([Categories.Short])) : config;
    }
}
