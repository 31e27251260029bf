using System.Diagnostics;
using System.Runtime.InteropServices;
using Native.LibUsb.Tests.Interop;

namespace Native.LibUsb.Tests.Loading;

/// <summary>A libusb that a published program brings.</summary>
public sealed class BundledLibraryTests
{
    // A name that the system's library does not have first: what is bundled comes first all the same.
    [Fact]
    public void A_single_file_program_finds_the_libusb_that_it_extracts()
    {
        using var folder = new TemporaryFolder();
        FakeLibrary.Build(new Version(1, 0, 99), "", folder.File("libusb-1.0.so"));
        File.WriteAllText(folder.File("Program.cs"), """
            Console.WriteLine(Native.LibUsb.UsbLibrary.Version.ToVersion());
            Console.WriteLine(Native.LibUsb.UsbLibrary.LoadedPath);
            """);
        File.WriteAllText(folder.File("Bundling.csproj"), $"""
            <Project Sdk="Microsoft.NET.Sdk">
              <PropertyGroup>
                <OutputType>Exe</OutputType>
                <TargetFramework>net10.0</TargetFramework>
                <ImplicitUsings>enable</ImplicitUsings>
                <RuntimeIdentifier>{RuntimeInformation.RuntimeIdentifier}</RuntimeIdentifier>
                <SelfContained>false</SelfContained>
                <PublishSingleFile>true</PublishSingleFile>
                <IncludeNativeLibrariesForSelfExtract>true</IncludeNativeLibrariesForSelfExtract>
              </PropertyGroup>
              <ItemGroup>
                <Reference Include="{typeof(UsbLibrary).Assembly.Location}" />
                <None Include="libusb-1.0.so" CopyToPublishDirectory="PreserveNewest" />
              </ItemGroup>
            </Project>
            """);
        string dotnet = Path.GetFullPath(Path.Combine(RuntimeEnvironment.GetRuntimeDirectory(), "..", "..", ".."));
        Run(Path.Combine(dotnet, "dotnet"), ["publish", "-c", "Release", "-v", "quiet", "-nodeReuse:false", "-o", folder.File("out"), folder.File("Bundling.csproj")]);
        Assert.False(File.Exists(folder.File("out/libusb-1.0.so"))); // it is in the executable
        string[] lines = Run(folder.File("out/Bundling"), [], ("DOTNET_ROOT", dotnet), ("DOTNET_BUNDLE_EXTRACT_BASE_DIR", folder.File("extracted"))).Split('\n');
        Assert.Equal("1.0.99", lines[0]);
        Assert.StartsWith(folder.File("extracted/"), lines[1], StringComparison.Ordinal);
    }

    private static string Run(string program, string[] arguments, params (string Name, string Value)[] environment)
    {
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true, Environment = { ["LD_PRELOAD"] = "" } };
        foreach ((string name, string value) in environment)
            start.Environment[name] = value;
        using Process process = Process.Start(start)!;
        Task<string> output = process.StandardOutput.ReadToEndAsync(), errors = process.StandardError.ReadToEndAsync();
        if (!process.WaitForExit(TimeSpan.FromMinutes(3)))
        {
            process.Kill(entireProcessTree: true);
            Assert.Fail($"{program} did not end.");
        }

        Assert.True(process.ExitCode == 0, $"{program} ended with {process.ExitCode}: {output.GetAwaiter().GetResult()}{errors.GetAwaiter().GetResult()}");
        return output.GetAwaiter().GetResult();
    }
}
