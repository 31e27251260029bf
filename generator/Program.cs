using Native.LibUsb.Generator;

var f = BindingGenerator.Generate(new Native.LibUsb.Generator.Clang.ClangCompiler("clang", "generator/stubs", "/usr/include"), "libusb.h", Native.LibUsb.Generator.Settings.GeneratorSettings.Read("generator/settings.json"), null, true);
foreach (var (n, t) in f) File.WriteAllText(Path.Combine(n.EndsWith(".json", StringComparison.Ordinal) ? args[1] : args[0], n), t);
return 0;
